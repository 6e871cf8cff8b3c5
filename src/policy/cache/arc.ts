import { nextStamp } from "./call-stamps.ts";
import type { CacheContext, CachePolicy, ExpertCache } from "./expert-cache.ts";
import { LinkedLists } from "./linked-lists.ts";

/** Where an object is: residents used once and more often, and the memory of those evicted from either. */
const usedOnce = 1;
const usedOften = 2;
const evictedOnce = 3;
const evictedOften = 4;

/** How an expert missed, noted in `hit` until room is made for it. */
const unknown = 0;
const wasEvictedOnce = 2;
const wasEvictedOften = 3;

/**
 * A call's experts are touched in order first: residents and remembered ones become the newest of those used often, others
 * the newest of those used once. Then room is made for each miss in order, as if it were about to enter. Experts of the
 * call are thus the newest of their lists: where the oldest is one of them, all are.
 */
class ArcCache implements ExpertCache {
  readonly capacity: number;
  resident = 0;
  readonly #base: number;
  readonly #lists: LinkedLists;
  readonly #listOf: Uint8Array;
  readonly #sizes = new Int32Array(5);
  /** Call in which each object was last used. */
  readonly #usedIn: Uint16Array;
  /** Slots that residents used once are meant to have: p of the paper, a real number. */
  #target = 0;
  #call = 0;

  constructor(context: CacheContext) {
    this.capacity = context.capacity;
    this.#base = context.base ?? 0;
    this.#lists = new LinkedLists(context.objects, 5);
    this.#listOf = new Uint8Array(context.objects);
    this.#usedIn = new Uint16Array(context.objects);
  }

  contains(key: number): boolean {
    const list = this.#listOf[key - this.#base];
    return list === usedOnce || list === usedOften;
  }

  call(keys: Uint32Array, from: number, to: number, hit: Uint8Array): number {
    const base = this.#base;
    const lists = this.#lists;
    const listOf = this.#listOf;
    const sizes = this.#sizes;
    const usedIn = this.#usedIn;
    const now = nextStamp(this.#call, usedIn);
    this.#call = now;
    let hits = 0;
    let fresh = 0;
    for (let i = from; i < to; i++) {
      const id = (keys[i]! - base) | 0;
      const list = listOf[id]!;
      usedIn[id] = now;
      if (list === 0) {
        hit[(i - from) | 0] = unknown;
        lists.append(usedOnce, id);
        listOf[id] = usedOnce;
        fresh++;
        continue;
      }
      if (list <= usedOften) {
        hit[(i - from) | 0] = 1;
        hits++;
      } else {
        hit[(i - from) | 0] = list === evictedOnce ? wasEvictedOnce : wasEvictedOften;
        this.#adapt(list);
      }
      lists.remove(id);
      lists.append(usedOften, id);
      listOf[id] = usedOften;
      sizes[list]!--;
      sizes[usedOften]!++;
    }
    const misses = to - from - hits;
    if (misses === 0) return hits;
    sizes[usedOnce]! += fresh;
    if (to - from <= this.capacity) this.#makeRoom(hit, to - from, fresh);
    else this.#shrink(hit, to - from, misses);
    return hits;
  }

  insert(key: number, spared: Uint8Array): boolean {
    const full = this.resident >= this.capacity;
    const victim = full ? this.#firstUnspared(spared) : -1;
    if (full && victim < 0) return false;
    const id = key - this.#base;
    if (this.#listOf[id] !== 0) this.#takeOut(id);
    const once = this.#sizes[usedOnce]!;
    this.#forget(once);
    if (full) this.#evict(victim, once < this.capacity);
    this.#lists.append(usedOnce, id);
    this.#listOf[id] = usedOnce;
    this.#sizes[usedOnce]!++;
    this.#usedIn[id] = 0;
    this.resident++;
    return true;
  }

  /** It leaves no memory: nothing was learnt of its use. */
  drop(key: number): void {
    this.#takeOut(key - this.#base);
    this.resident--;
  }

  /** A miss that is remembered shows which side should have been larger. */
  #adapt(list: number): void {
    const once = this.#sizes[evictedOnce]!;
    const often = this.#sizes[evictedOften]!;
    if (list === evictedOnce) this.#target = Math.min(this.capacity, this.#target + Math.max(1, often / once));
    else this.#target = Math.max(0, this.#target - Math.max(1, once / often));
  }

  /** Makes room for the misses of a call that fits, in order; victims are outside the call. */
  #makeRoom(hit: Uint8Array, experts: number, fresh: number): void {
    const sizes = this.#sizes;
    let waiting = fresh;
    for (let i = 0; i < experts; i++) {
      const kind = hit[i]!;
      if (kind === 1) continue;
      hit[i] = 0;
      const once = sizes[usedOnce]! - waiting;
      if (kind === unknown) {
        this.#forget(once);
        waiting--;
      }
      if (this.resident < this.capacity) this.resident++;
      else {
        const remembers = kind !== unknown || once < this.capacity;
        this.#evict(this.#victim(once, kind === wasEvictedOften), remembers);
        this.resident++;
      }
    }
  }

  /** Evicts down to the capacity after a call that does not fit: from all. */
  #shrink(hit: Uint8Array, experts: number, misses: number): void {
    for (let i = 0; i < experts; i++) if (hit[i] !== 1) hit[i] = 0;
    const sizes = this.#sizes;
    this.resident += misses;
    while (this.resident > this.capacity) {
      const once = sizes[usedOnce]!;
      this.#evict(this.#lists.oldest(this.#prefersOnce(once, false) ? usedOnce : usedOften), true);
      while (sizes[usedOnce]! + sizes[evictedOnce]! > this.capacity && sizes[evictedOnce]! > 0)
        this.#takeOut(this.#lists.oldest(evictedOnce));
    }
    while (this.#remembered() + this.resident > 2 * this.capacity && sizes[evictedOften]! > 0)
      this.#takeOut(this.#lists.oldest(evictedOften));
  }

  #remembered(): number {
    return this.#sizes[evictedOnce]! + this.#sizes[evictedOften]!;
  }

  /** Keeps both bounds of the paper when an unknown expert enters: c objects once seen, 2c in all. */
  #forget(once: number): void {
    const sizes = this.#sizes;
    if (once + sizes[evictedOnce]! >= this.capacity) {
      if (sizes[evictedOnce]! > 0) this.#takeOut(this.#lists.oldest(evictedOnce));
    } else if (once + sizes[usedOften]! + this.#remembered() >= 2 * this.capacity && sizes[evictedOften]! > 0)
      this.#takeOut(this.#lists.oldest(evictedOften));
  }

  #prefersOnce(once: number, wasOften: boolean): boolean {
    if (this.#sizes[usedOften] === 0) return true;
    return once > 0 && (once > this.#target || (once === this.#target && wasOften));
  }

  #victim(once: number, wasOften: boolean): number {
    const prefersOnce = this.#prefersOnce(once, wasOften);
    const first = this.#lists.oldest(prefersOnce ? usedOnce : usedOften);
    if (!this.#lists.isMark(first) && this.#usedIn[first] !== this.#call) return first;
    return this.#lists.oldest(prefersOnce ? usedOften : usedOnce);
  }

  #firstUnspared(spared: Uint8Array): number {
    const prefersOnce = this.#prefersOnce(this.#sizes[usedOnce]!, false);
    for (const list of prefersOnce ? [usedOnce, usedOften] : [usedOften, usedOnce])
      for (let id = this.#lists.oldest(list); !this.#lists.isMark(id); id = this.#lists.after(id))
        if (spared[id] !== 1) return id;
    return -1;
  }

  /**
   * A resident leaves. It is remembered, unless an unknown expert enters while all slots hold experts used once: they are as
   * many as the paper remembers.
   */
  #evict(id: number, remembers: boolean): void {
    const wasOnce = this.#listOf[id] === usedOnce;
    this.#takeOut(id);
    this.resident--;
    if (wasOnce && !remembers) return;
    const memory = wasOnce ? evictedOnce : evictedOften;
    this.#lists.append(memory, id);
    this.#listOf[id] = memory;
    this.#sizes[memory]!++;
  }

  #takeOut(id: number): void {
    this.#lists.remove(id);
    this.#sizes[this.#listOf[id]!]!--;
    this.#listOf[id] = 0;
  }
}

/**
 * ARC (Megiddo and Modha, ARC: A Self-Tuning, Low Overhead Replacement Cache, FAST 2003): residents seen once and those
 * seen more often are two LRU lists; misses on experts that either list evicted lately shift slots between them. Sizes
 * are compared with a real target as in libCacheSim.
 */
export const arc: CachePolicy = {
  name: "arc",
  rule: "Evicts the least recent of the experts used once or of those used more often; misses on experts evicted lately set the shares.",
  needs: [],
  parameters: {},
  create: (context) => new ArcCache(context),
};
