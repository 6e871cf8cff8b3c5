import { nextStamp } from "./call-stamps.ts";
import type { CacheContext, ExpertCache } from "./expert-cache.ts";
import { PriorityLists } from "./priority-lists.ts";

export interface Ageing {
  /** Whether a newcomer gets its priority before room is made for it, at the age from before. */
  readonly ranksNewcomersFirst: boolean;
  /** Whether experts of a fitting call may leave too. */
  readonly bypass: boolean;
}

/**
 * A resident's priority is the age of the cache at its last use plus its uses since it was loaded. The age is the highest
 * priority evicted so far. The lowest goes first, ties to the least recently used.
 */
export class AgeingCache implements ExpertCache {
  readonly capacity: number;
  resident = 0;
  readonly #base: number;
  readonly #ageing: Ageing;
  readonly #ranked: PriorityLists;
  readonly #uses: Uint32Array;
  /** Call in which each object was last used. */
  readonly #usedIn: Uint16Array;
  #age = 0;
  #call = 0;

  constructor(context: CacheContext, ageing: Ageing) {
    this.capacity = context.capacity;
    this.#base = context.base ?? 0;
    this.#ageing = ageing;
    this.#ranked = new PriorityLists(context.objects);
    this.#uses = new Uint32Array(context.objects);
    this.#usedIn = new Uint16Array(context.objects);
  }

  contains(key: number): boolean {
    return this.#ranked.has(key - this.#base);
  }

  call(keys: Uint32Array, from: number, to: number, hit: Uint8Array): number {
    const base = this.#base;
    const ranked = this.#ranked;
    const uses = this.#uses;
    const usedIn = this.#usedIn;
    const age = this.#age;
    const now = nextStamp(this.#call, usedIn);
    this.#call = now;
    const fits = to - from <= this.capacity;
    const ranksAtOnce = this.#ageing.ranksNewcomersFirst || !fits;
    let hits = 0;
    for (let i = from; i < to; i++) {
      const id = (keys[i]! - base) | 0;
      usedIn[id] = now;
      if (ranked.has(id)) {
        hit[(i - from) | 0] = 1;
        hits++;
        ranked.change(id, age + ++uses[id]!);
      } else {
        hit[(i - from) | 0] = 0;
        uses[id] = 1;
        if (ranksAtOnce) ranked.add(id, age + 1);
      }
    }
    this.resident += to - from - hits;
    if (this.resident > this.capacity) this.#evict(fits && !this.#ageing.bypass ? now : -1);
    if (!ranksAtOnce && to - from > hits)
      for (let i = from; i < to; i++) if (hit[i - from] === 0) ranked.add(keys[i]! - base, this.#age + 1);
    return hits;
  }

  insert(key: number, spared: Uint8Array): boolean {
    const age = this.#age;
    if (this.resident >= this.capacity && !this.#evictUnspared(spared)) return false;
    const id = key - this.#base;
    this.#ranked.add(id, (this.#ageing.ranksNewcomersFirst ? age : this.#age) + 1);
    this.#uses[id] = 1;
    this.#usedIn[id] = 0;
    this.resident++;
    return true;
  }

  drop(key: number): void {
    this.#ranked.remove(key - this.#base);
    this.resident--;
  }

  #evict(protect: number): void {
    const ranked = this.#ranked;
    ranked.moveWindow();
    let id = ranked.first();
    while (this.resident > this.capacity) {
      while (this.#usedIn[id] === protect) id = ranked.after(id);
      const victim = id;
      this.resident--;
      if (this.resident > this.capacity) id = ranked.after(victim);
      this.#leave(victim);
    }
  }

  #evictUnspared(spared: Uint8Array): boolean {
    let id = this.#ranked.first();
    while (id >= 0 && spared[id] === 1) id = this.#ranked.after(id);
    if (id < 0) return false;
    this.#leave(id);
    this.resident--;
    return true;
  }

  #leave(id: number): void {
    this.#age = Math.max(this.#age, this.#ranked.priorityOf(id));
    this.#ranked.remove(id);
  }
}
