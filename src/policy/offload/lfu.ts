import { nextStamp } from "./call-stamps.ts";
import { denseArray } from "./dense-arrays.ts";
import type { CacheContext, CachePolicy, ExpertCache } from "./expert-cache.ts";

/** A stamp no call has: protects nothing. */
const noCall = -1;

/**
 * Least frequently used, uses counted while an object is resident, ties to the least recently used. Slots hang in
 * circular lists, one per distinct frequency, ordered by recency; the lists themselves are chained by ascending
 * frequency, so that a promotion and a victim cost a constant number of steps.
 */
class LfuCache implements ExpertCache {
  readonly capacity: number;
  resident = 0;
  readonly #base: number;
  /** One plus the slot of each object; 0 if it is not resident. Slots fill from 0 and are then taken from victims. */
  readonly #slotOf: Uint16Array | Uint32Array;
  readonly #objectIn: Uint16Array | Uint32Array;
  /** Call in which each slot was last used. */
  readonly #usedIn: Uint16Array;
  /** List of each slot. */
  readonly #listOf: Uint16Array | Uint32Array;
  /** Neighbours in a list, least recent first. Node `slots + b` is the end mark of list b. */
  readonly #next: Uint16Array | Uint32Array;
  readonly #previous: Uint16Array | Uint32Array;
  readonly #slots: number;
  /** Lists by ascending frequency; list 0 is the end mark of the chain. Unused lists are chained by `#above`. */
  readonly #frequency: Float64Array;
  readonly #above: Uint16Array | Uint32Array;
  readonly #below: Uint16Array | Uint32Array;
  /** Objects the current call misses, in stored order. */
  readonly #missed: Uint16Array | Uint32Array;
  #unused = 1;
  #call = 0;

  constructor(context: CacheContext) {
    const slots = Math.min(context.capacity, context.objects);
    const lists = slots + 3;
    this.capacity = context.capacity;
    this.#base = context.base ?? 0;
    this.#slots = slots;
    this.#slotOf = denseArray(context.objects, slots);
    this.#objectIn = denseArray(slots, context.objects);
    this.#usedIn = new Uint16Array(slots);
    this.#listOf = denseArray(slots, lists);
    this.#next = denseArray(slots + lists, slots + lists);
    this.#previous = denseArray(slots + lists, slots + lists);
    this.#missed = denseArray(context.objects, context.objects);
    this.#frequency = new Float64Array(lists);
    this.#above = denseArray(lists, lists);
    this.#below = denseArray(lists, lists);
    for (let list = 1; list < lists; list++) this.#above[list] = list + 1;
  }

  contains(key: number): boolean {
    return (this.#slotOf[key - this.#base] ?? 0) !== 0;
  }

  call(keys: Uint32Array, from: number, to: number, hit: Uint8Array): number {
    const base = this.#base;
    const slotOf = this.#slotOf;
    const now = nextStamp(this.#call, this.#usedIn);
    this.#call = now;
    const missed = this.#missed;
    let misses = 0;
    for (let i = from; i < to; i++) {
      const id = (keys[i]! - base) | 0;
      const slot = slotOf[id]! - 1;
      if (slot < 0) {
        hit[(i - from) | 0] = 0;
        missed[misses++] = id;
      } else {
        hit[(i - from) | 0] = 1;
        this.#promote(slot, now);
      }
    }
    if (misses > 0) this.#admit(misses, to - from <= this.capacity);
    return to - from - misses;
  }

  /** Moves a slot to the recent end of the list one frequency up. */
  #promote(slot: number, now: number): void {
    const next = this.#next;
    const previous = this.#previous;
    this.#usedIn[slot] = now;
    const list = this.#listOf[slot]!;
    const frequency = this.#frequency[list]! + 1;
    const before = previous[slot]!;
    const after = next[slot]!;
    let target = this.#above[list]!;
    if (target === 0 || this.#frequency[target] !== frequency) {
      if (before === after) {
        this.#frequency[list] = frequency;
        return;
      }
      target = this.#open(frequency, list);
    }
    next[before] = after;
    previous[after] = before;
    if (before === after) this.#close(list);
    this.#append(slot, target);
  }

  /** Gives the missed objects slots at frequency 1, in order. */
  #admit(misses: number, callFits: boolean): void {
    const call = this.#call;
    const protect = callFits ? call : noCall;
    let victims = this.#above[0]!;
    for (let i = callFits ? 0 : this.#streamed(misses); i < misses; i++) {
      let slot = this.resident;
      if (slot < this.capacity) this.resident++;
      else {
        // Protected slots are the most recent of their list, so where the first is protected, all are.
        while (!this.#hasVictim(victims, protect)) victims = this.#above[victims]!;
        slot = this.#next[this.#slots + victims]!;
        const above = this.#above[victims]!;
        if (this.#remove(slot, victims)) victims = above;
      }
      const id = this.#missed[i]!;
      this.#slotOf[id] = slot + 1;
      this.#objectIn[slot] = id;
      this.#usedIn[slot] = call;
      const lowest = this.#above[0]!;
      const list = lowest !== 0 && this.#frequency[lowest] === 1 ? lowest : this.#open(1, 0);
      this.#append(slot, list);
      if (victims === 0) victims = list;
    }
  }

  #hasVictim(list: number, protect: number): boolean {
    const mark = this.#slots + list;
    const first = this.#next[mark]!;
    return first !== mark && this.#usedIn[first] !== protect;
  }

  /**
   * How many of the misses of a call beyond the capacity stream through. Of what is too much, the residents used once
   * go first, then the earliest misses, which were used once as well but more recently.
   */
  #streamed(misses: number): number {
    let left = this.resident + misses - this.capacity;
    const list = this.#above[0]!;
    if (list !== 0 && this.#frequency[list] === 1) {
      const mark = this.#slots + list;
      for (let slot = this.#next[mark]!; slot !== mark && left > 0; slot = this.#next[slot]!) left--;
    }
    return Math.max(0, left);
  }

  #append(slot: number, list: number): void {
    const mark = this.#slots + list;
    const last = this.#previous[mark]!;
    this.#next[last] = slot;
    this.#previous[slot] = last;
    this.#next[slot] = mark;
    this.#previous[mark] = slot;
    this.#listOf[slot] = list;
  }

  /** Evicts what the first slot of a list holds; says whether that closed the list. */
  #remove(slot: number, list: number): boolean {
    const mark = this.#slots + list;
    const after = this.#next[slot]!;
    this.#next[mark] = after;
    this.#previous[after] = mark;
    this.#slotOf[this.#objectIn[slot]!] = 0;
    if (after !== mark) return false;
    this.#close(list);
    return true;
  }

  /** Opens an empty list of a frequency above list `below` in the chain. */
  #open(frequency: number, below: number): number {
    const list = this.#unused;
    this.#unused = this.#above[list]!;
    const above = this.#above[below]!;
    this.#frequency[list] = frequency;
    this.#above[below] = list;
    this.#below[list] = below;
    this.#above[list] = above;
    this.#below[above] = list;
    const mark = this.#slots + list;
    this.#next[mark] = mark;
    this.#previous[mark] = mark;
    return list;
  }

  #close(list: number): void {
    const above = this.#above[list]!;
    const below = this.#below[list]!;
    this.#above[below] = above;
    this.#below[above] = below;
    this.#above[list] = this.#unused;
    this.#unused = list;
  }
}

/**
 * Evicts the expert used least often since it was loaded, ties to the least recently used. Counts are lost with the
 * slot, as in MoE-Infinity's runtime (arXiv 2401.14361) and libCacheSim; its per-request reset is left out.
 */
export const lfu: CachePolicy = { name: "lfu", needs: [], create: (context) => new LfuCache(context) };
