import { denseArray, ringLength } from "./dense-arrays.ts";
import type { CacheContext, CachePolicy, ExpertCache } from "./expert-cache.ts";

/** Arrival numbers above this start over. */
const lastShort = 0xffff;
const lastLong = 0x3fffffff;

/**
 * First in, first out. Residents have consecutive arrival numbers, and an object is resident if its number is not below
 * the oldest: to evict is to raise the oldest. A hit only protects its expert from this call's evictions.
 */
class FifoCache implements ExpertCache {
  readonly capacity: number;
  readonly #base: number;
  /** Arrival number of each object; below `oldest` if it is not resident. */
  readonly #numberOf: Uint16Array | Uint32Array;
  readonly #lastNumber: number;
  /** Residents at their numbers modulo the length, a power of two. */
  #ring: Uint16Array | Uint32Array;
  #oldest = 1;
  #next = 1;
  /** 1 for the objects of a call while its victims are looked for. */
  readonly #called: Uint8Array;

  constructor({ capacity, objects, base = 0 }: CacheContext) {
    this.capacity = capacity;
    this.#base = base;
    const most = ringLength(objects + 1);
    this.#lastNumber = 4 * most <= lastShort ? lastShort : lastLong;
    this.#numberOf = denseArray(objects, this.#lastNumber);
    this.#ring = denseArray(ringLength(Math.min(capacity, objects) + 1), objects);
    this.#called = new Uint8Array(objects);
  }

  get resident(): number {
    return this.#next - this.#oldest;
  }

  contains(key: number): boolean {
    return (this.#numberOf[key - this.#base] ?? 0) >= this.#oldest;
  }

  call(keys: Uint32Array, from: number, to: number, hit: Uint8Array): number {
    const calls = to - from;
    this.#makeRoom(calls);
    const base = this.#base;
    const numberOf = this.#numberOf;
    const ring = this.#ring;
    const mask = ring.length - 1;
    const before = (this.#oldest - 1) | 0;
    const start = this.#next;
    let next = start;
    let oldestHit = lastLong;
    for (let i = from; i < to; i++) {
      const id = (keys[i]! - base) | 0;
      const number = numberOf[id]!;
      // Without branches: whether it hits is close to a coin toss.
      const isHit = (before - number) >>> 31;
      hit[(i - from) | 0] = isHit;
      const onMiss = (isHit - 1) | 0;
      const older = ((number | (onMiss & lastLong)) - oldestHit) | 0;
      oldestHit = (oldestHit + (older & (older >> 31))) | 0;
      numberOf[id] = number ^ ((number ^ next) & onMiss);
      ring[next & mask] = id;
      next = (next + 1 - isHit) | 0;
    }
    this.#next = next;
    const excess = next - this.#oldest - this.capacity;
    if (excess > 0) {
      if (calls <= this.capacity && oldestHit < this.#oldest + excess) this.#evictAround(keys, from, to, excess);
      else this.#oldest += excess;
    }
    return calls - (next - start);
  }

  insert(key: number, spared: Uint8Array): boolean {
    this.#makeRoom(1);
    const mask = this.#ring.length - 1;
    if (this.resident >= this.capacity) {
      let victim = this.#oldest;
      while (victim < this.#next && spared[this.#ring[victim & mask]!] === 1) victim++;
      if (victim === this.#next) return false;
      this.#takeOut(victim);
    }
    const id = key - this.#base;
    this.#numberOf[id] = this.#next;
    this.#ring[this.#next & mask] = id;
    this.#next++;
    return true;
  }

  drop(key: number): void {
    this.#takeOut(this.#numberOf[key - this.#base]!);
  }

  /** Removes the resident of a number; older ones move up by one. */
  #takeOut(number: number): void {
    const ring = this.#ring;
    const mask = ring.length - 1;
    this.#numberOf[ring[number & mask]!] = 0;
    for (let i = number; i > this.#oldest; i--) {
      const id = ring[(i - 1) & mask]!;
      ring[i & mask] = id;
      this.#numberOf[id] = i;
    }
    this.#oldest++;
  }

  /** Evicts so many of the oldest residents outside a call; those of the call among them move up, in order. */
  #evictAround(keys: Uint32Array, from: number, to: number, count: number): void {
    const called = this.#called;
    const ring = this.#ring;
    const mask = ring.length - 1;
    for (let i = from; i < to; i++) called[keys[i]! - this.#base] = 1;
    let end = this.#oldest;
    let spared = 0;
    for (let left = count; left > 0; end++) {
      const id = ring[end & mask]!;
      if (called[id] === 1) spared++;
      else {
        this.#numberOf[id] = 0;
        left--;
        for (let i = 0; i < spared; i++) ring[(end - i) & mask] = ring[(end - i - 1) & mask]!;
      }
    }
    this.#oldest = end - spared;
    for (let i = this.#oldest; i < end; i++) this.#numberOf[ring[i & mask]!] = i;
    for (let i = from; i < to; i++) called[keys[i]! - this.#base] = 0;
  }

  /** Sees to it that so many arrivals have places and numbers. */
  #makeRoom(arrivals: number): void {
    const resident = this.#next - this.#oldest;
    if (resident + arrivals > this.#ring.length) {
      const old = this.#ring;
      const ring = denseArray(ringLength(resident + arrivals), this.#called.length);
      for (let i = this.#oldest; i < this.#next; i++) ring[i & (ring.length - 1)] = old[i & (old.length - 1)]!;
      this.#ring = ring;
    }
    if (this.#next + arrivals > this.#lastNumber) this.#startOver();
  }

  /** Lowers all numbers by a multiple of the ring's length, so that residents keep their places. */
  #startOver(): void {
    const less = this.#oldest - 1 - ((this.#oldest - 1) & (this.#ring.length - 1));
    const numberOf = this.#numberOf;
    for (let id = 0; id < numberOf.length; id++)
      numberOf[id] = numberOf[id]! >= this.#oldest ? numberOf[id]! - less : 0;
    this.#oldest -= less;
    this.#next -= less;
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
