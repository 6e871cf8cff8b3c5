import { nextStamp } from "./call-stamps.ts";
import { denseArray, ringLength } from "./dense-arrays.ts";
import type { CacheContext, CachePolicy, ExpertCache } from "./expert-cache.ts";

/**
 * First in, first out: a ring of residents in load order. A hit only protects its expert from this call's evictions.
 */
class FifoCache implements ExpertCache {
  readonly capacity: number;
  resident = 0;
  readonly #base: number;
  /** Call in which each object was last used; 0 if it is not resident. */
  readonly #usedIn: Uint16Array;
  /** Residents in load order from `head` up to `tail`, positions modulo the length, a power of two. */
  #ring: Uint16Array | Uint32Array;
  #head = 0;
  #tail = 0;
  #call = 0;

  constructor(context: CacheContext) {
    this.capacity = context.capacity;
    this.#base = context.base ?? 0;
    this.#usedIn = new Uint16Array(context.objects);
    this.#ring = denseArray(ringLength(Math.min(context.capacity, context.objects) + 1), context.objects);
  }

  contains(key: number): boolean {
    return (this.#usedIn[key - this.#base] ?? 0) !== 0;
  }

  call(keys: Uint32Array, from: number, to: number, hit: Uint8Array): number {
    if (this.resident + to - from > this.#ring.length) this.#enlarge(to - from);
    const base = this.#base;
    const usedIn = this.#usedIn;
    const ring = this.#ring;
    const mask = ring.length - 1;
    const now = nextStamp(this.#call, usedIn);
    this.#call = now;
    const start = this.#tail;
    let tail = start;
    for (let i = from; i < to; i++) {
      const id = (keys[i]! - base) | 0;
      // Stamps are positive: the sign of the negated stamp says "resident" without a branch.
      const wasResident = (0 - usedIn[id]!) >>> 31;
      hit[(i - from) | 0] = wasResident;
      usedIn[id] = now;
      ring[tail & mask] = id;
      tail = (tail + 1 - wasResident) | 0;
    }
    this.#tail = tail & mask;
    const misses = tail - start;
    this.resident += misses;
    if (this.resident > this.capacity) this.#evict(to - from <= this.capacity ? now : -1);
    return to - from - misses;
  }

  insert(key: number, spared: Uint8Array): boolean {
    if (this.resident >= this.capacity && !this.#takeOut((id) => spared[id] !== 1)) return false;
    if (this.resident + 1 > this.#ring.length) this.#enlarge(1);
    const id = key - this.#base;
    this.#ring[this.#tail] = id;
    this.#tail = (this.#tail + 1) & (this.#ring.length - 1);
    this.#call = Math.max(1, this.#call);
    this.#usedIn[id] = this.#call;
    this.resident++;
    return true;
  }

  drop(key: number): void {
    this.#takeOut((id) => id === key - this.#base);
  }

  /** Removes the oldest resident of a kind; returns whether there is one. */
  #takeOut(leaves: (id: number) => boolean): boolean {
    const ring = this.#ring;
    const mask = ring.length - 1;
    for (let i = 0; i < this.resident; i++) {
      const id = ring[(this.#head + i) & mask]!;
      if (!leaves(id)) continue;
      for (let j = i; j > 0; j--) ring[(this.#head + j) & mask] = ring[(this.#head + j - 1) & mask]!;
      this.#head = (this.#head + 1) & mask;
      this.#usedIn[id] = 0;
      this.resident--;
      return true;
    }
    return false;
  }

  /** Evicts the oldest residents above the capacity, sparing those used in call `protect`. */
  #evict(protect: number): void {
    const ring = this.#ring;
    const mask = ring.length - 1;
    const usedIn = this.#usedIn;
    let excess = this.resident - this.capacity;
    this.resident = this.capacity;
    let head = this.#head;
    let spared = 0;
    for (; excess > 0; head++) {
      const id = ring[head & mask]!;
      if (usedIn[id] === protect) spared++;
      else {
        usedIn[id] = 0;
        excess--;
        for (let i = 0; i < spared; i++) ring[(head - i) & mask] = ring[(head - i - 1) & mask]!;
      }
    }
    this.#head = (head - spared) & mask;
  }

  /** Gives the ring room for a call on top of the residents. */
  #enlarge(call: number): void {
    const old = this.#ring;
    const ring = denseArray(ringLength(2 * (this.resident + call)), this.#usedIn.length);
    for (let i = 0; i < this.resident; i++) ring[i] = old[(this.#head + i) & (old.length - 1)]!;
    this.#ring = ring;
    this.#head = 0;
    this.#tail = this.resident;
  }
}

/** Evicts the expert that was loaded first. */
export const fifo: CachePolicy = {
  name: "fifo",
  rule: "Evicts the expert that was loaded first.",
  needs: [],
  parameters: {},
  create: (context) => new FifoCache(context),
};
