import type { CacheContext, ExpertCache } from "./expert-cache.ts";

/**
 * A cache that takes the experts of a call one after the other, as its algorithm takes single accesses, except that an expert of
 * the call is never a victim. A call with more experts than slots enters as a whole before anybody leaves; then nobody is kept.
 */
export abstract class SteppedCache implements ExpertCache {
  readonly capacity: number;
  resident = 0;
  readonly #base: number;
  /** 1 for the objects that are resident. */
  readonly #held: Uint8Array;
  /** 1 for the objects of a call while it is served. */
  readonly #called: Uint8Array;

  constructor({ capacity, objects, base = 0 }: CacheContext) {
    this.capacity = capacity;
    this.#base = base;
    this.#held = new Uint8Array(objects);
    this.#called = new Uint8Array(objects);
  }

  /** A resident is used. */
  protected abstract touch(id: number): void;
  /** An absent object is used; returns whether the policy remembers it. Room is made for it after that. */
  protected abstract recall(id: number): boolean;
  /** An absent object enters. */
  protected abstract load(id: number, remembered: boolean): void;
  /** Evicts the first in the policy's order that is not kept, and returns it; there is one. */
  protected abstract evict(kept: Uint8Array): number;
  /** A resident leaves, and nothing is remembered of it. */
  protected abstract remove(id: number): void;

  contains(key: number): boolean {
    return this.#held[key - this.#base] === 1;
  }

  call(keys: Uint32Array, from: number, to: number, hit: Uint8Array): number {
    const base = this.#base;
    const held = this.#held;
    const called = this.#called;
    const fits = to - from <= this.capacity;
    const isCalled = fits ? 1 : 0;
    let hits = 0;
    for (let i = from; i < to; i++) {
      const id = keys[i]! - base;
      const isHit = held[id]!;
      hit[i - from] = isHit;
      hits += isHit;
      called[id] = isCalled;
    }
    for (let i = from; i < to; i++) {
      const id = keys[i]! - base;
      if (hit[i - from] === 1) {
        this.touch(id);
        continue;
      }
      const remembered = this.recall(id);
      if (fits && this.resident >= this.capacity) this.#makeRoom(called);
      this.#enter(id, remembered);
    }
    for (let i = from; i < to; i++) called[keys[i]! - base] = 0;
    while (this.resident > this.capacity) this.#makeRoom(called);
    return hits;
  }

  insert(key: number, spared: Uint8Array): boolean {
    if (this.resident >= this.capacity) {
      if (!this.#someLeaves(spared)) return false;
      this.#makeRoom(spared);
    }
    this.#enter(key - this.#base, false);
    return true;
  }

  drop(key: number): void {
    const id = key - this.#base;
    this.remove(id);
    this.#held[id] = 0;
    this.resident--;
  }

  #enter(id: number, remembered: boolean): void {
    this.load(id, remembered);
    this.#held[id] = 1;
    this.resident++;
  }

  #makeRoom(kept: Uint8Array): void {
    this.#held[this.evict(kept)] = 0;
    this.resident--;
  }

  #someLeaves(spared: Uint8Array): boolean {
    for (let id = 0; id < this.#held.length; id++) if (this.#held[id] === 1 && spared[id] !== 1) return true;
    return false;
  }
}
