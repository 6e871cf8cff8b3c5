import { denseArray, ringLength } from "./dense-arrays.ts";
import type { CacheContext, CachePolicy, ExpertCache } from "./expert-cache.ts";

/** Entries of the log per slot: at the start, and at most. It doubles in between rather than be compacted often. */
const entriesPerSlot = 2;
const entriesPerSlotMax = 16;

/**
 * Least recently used. Recency is a log of touches instead of a linked list. A resident object remembers its last
 * touch. An entry is stale if its object was touched later; the victim is the first entry that is not stale. Each entry
 * is written and skipped once, in memory order (measured in bench/cache-replay.ts).
 */
class LruCache implements ExpertCache {
  readonly capacity: number;
  resident = 0;
  readonly #objects: number;
  readonly #base: number;
  /** One plus the position of each object's last touch in the log; 0 if it is not resident. */
  #touchedAt: Uint16Array | Uint32Array;
  /** A ring whose length is a power of two: `logged` entries from `head`. */
  #log: Uint16Array | Uint32Array;
  #head = 0;
  #logged = 0;

  constructor(context: CacheContext) {
    this.capacity = context.capacity;
    this.#objects = context.objects;
    this.#base = context.base ?? 0;
    const length = ringLength(entriesPerSlot * Math.min(context.capacity, context.objects) + 1);
    this.#log = denseArray(length, context.objects);
    this.#touchedAt = denseArray(context.objects, length);
  }

  contains(key: number): boolean {
    return (this.#touchedAt[key - this.#base] ?? 0) !== 0;
  }

  call(keys: Uint32Array, from: number, to: number, hit: Uint8Array): number {
    if (this.#logged + to - from > this.#log.length) this.#makeRoom(to - from);
    const base = this.#base;
    const touchedAt = this.#touchedAt;
    const log = this.#log;
    const mask = log.length - 1;
    const shift = (this.#head + this.#logged - from) | 0;
    let hits = 0;
    for (let i = from; i < to; i++) {
      const id = (keys[i]! - base) | 0;
      const wasResident = (0 - touchedAt[id]!) >>> 31;
      hit[(i - from) | 0] = wasResident;
      hits = (hits + wasResident) | 0;
      const at = (i + shift) & mask;
      log[at] = id;
      touchedAt[id] = at + 1;
    }
    this.#logged += to - from;
    this.resident += to - from - hits;
    if (this.resident > this.capacity) this.#evict();
    return hits;
  }

  insert(key: number, spared: Uint8Array): boolean {
    if (this.resident >= this.capacity && !this.#evictUnspared(spared)) return false;
    if (this.#logged === this.#log.length) this.#makeRoom(1);
    const id = key - this.#base;
    const at = (this.#head + this.#logged++) & (this.#log.length - 1);
    this.#log[at] = id;
    this.#touchedAt[id] = at + 1;
    this.resident++;
    return true;
  }

  drop(key: number): void {
    this.#touchedAt[key - this.#base] = 0;
    this.resident--;
  }

  /** Evicts the least recent that is not spared; returns whether there is one. */
  #evictUnspared(spared: Uint8Array): boolean {
    const mask = this.#log.length - 1;
    for (let i = 0; i < this.#logged; i++) {
      const at = (this.#head + i) & mask;
      const id = this.#log[at]!;
      if (this.#touchedAt[id] !== at + 1 || spared[id] === 1) continue;
      this.#touchedAt[id] = 0;
      this.resident--;
      return true;
    }
    return false;
  }

  #evict(): void {
    const touchedAt = this.#touchedAt;
    const log = this.#log;
    const mask = log.length - 1;
    const start = this.#head;
    let head = start;
    let excess = this.resident - this.capacity;
    while (excess > 0) {
      const at = head & mask;
      const id = log[at]!;
      // Without a branch: whether an entry is stale is close to a coin toss.
      const touched = touchedAt[id]!;
      const stale = touched ^ (at + 1);
      const live = ((stale - 1) >>> 31) | 0;
      touchedAt[id] = touched & (live - 1);
      excess = (excess - live) | 0;
      head = (head + 1) | 0;
    }
    this.resident = this.capacity;
    this.#logged -= head - start;
    this.#head = head & mask;
  }

  /** Drops the stale entries and enlarges the log, for this call and up to its usual length. */
  #makeRoom(call: number): void {
    const old = this.#log;
    const mask = old.length - 1;
    const usual = Math.min(2 * old.length, ringLength(entriesPerSlotMax * this.capacity));
    const length = ringLength(Math.max(usual, 2 * (this.resident + call)));
    const log = denseArray(length, this.#objects);
    const touchedAt = denseArray(this.#objects, length);
    let logged = 0;
    for (let i = 0; i < this.#logged; i++) {
      const at = (this.#head + i) & mask;
      const id = old[at]!;
      if (this.#touchedAt[id] !== at + 1) continue;
      log[logged] = id;
      touchedAt[id] = ++logged;
    }
    this.#log = log;
    this.#touchedAt = touchedAt;
    this.#head = 0;
    this.#logged = logged;
  }
}

/** Evicts the expert whose last use is longest ago; what mixtral-offloading does per layer (arXiv 2312.17238). */
export const lru: CachePolicy = {
  name: "lru",
  rule: "Evicts the expert whose last use is longest ago.",
  needs: [],
  parameters: {},
  create: (context) => new LruCache(context),
};
