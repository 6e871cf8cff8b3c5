import { RandomStream } from "../../core/random.ts";
import { denseArray } from "./dense-arrays.ts";
import type { CacheContext, CachePolicy, ExpertCache } from "./expert-cache.ts";

class RandomCache implements ExpertCache {
  readonly capacity: number;
  resident = 0;
  readonly #base: number;
  /** Residents in no particular order at places 1 to `resident`; the last fills the place of one that leaves. */
  readonly #idAt: Uint16Array | Uint32Array;
  /** 0 for an object that is not resident. */
  readonly #placeOf: Uint16Array | Uint32Array;
  /** 1 for the objects of a call while it is served. */
  readonly #called: Uint8Array;
  readonly #draws: RandomStream;

  constructor({ capacity, objects, base = 0, seed = 0 }: CacheContext) {
    this.capacity = capacity;
    this.#base = base;
    this.#idAt = denseArray(objects + 1, objects);
    this.#placeOf = denseArray(objects, objects);
    this.#called = new Uint8Array(objects);
    this.#draws = new RandomStream(seed, "policy/cache/random");
  }

  contains(key: number): boolean {
    return (this.#placeOf[key - this.#base] ?? 0) !== 0;
  }

  call(keys: Uint32Array, from: number, to: number, hit: Uint8Array): number {
    const base = this.#base;
    const called = this.#called;
    const fits = to - from <= this.capacity;
    let hits = 0;
    for (let i = from; i < to; i++) {
      const id = (keys[i]! - base) | 0;
      const isHit = (0 - this.#placeOf[id]!) >>> 31;
      hit[(i - from) | 0] = isHit;
      hits += isHit;
      called[id] = fits ? 1 : 0;
    }
    for (let i = from; i < to; i++) {
      if (hit[(i - from) | 0] === 1) continue;
      if (fits && this.resident >= this.capacity) this.#evict(called);
      this.#load((keys[i]! - base) | 0);
    }
    for (let i = from; i < to; i++) called[(keys[i]! - base) | 0] = 0;
    while (this.resident > this.capacity) this.#evict(called);
    return hits;
  }

  insert(key: number, spared: Uint8Array): boolean {
    if (this.resident >= this.capacity) {
      if (this.#idAt.subarray(1, this.resident + 1).every((id) => spared[id] === 1)) return false;
      this.#evict(spared);
    }
    this.#load(key - this.#base);
    return true;
  }

  drop(key: number): void {
    this.#remove(key - this.#base);
  }

  #load(id: number): void {
    this.#idAt[++this.resident] = id;
    this.#placeOf[id] = this.resident;
  }

  #evict(kept: Uint8Array): void {
    let id: number;
    do id = this.#idAt[1 + this.#draws.below(this.resident)]!;
    while (kept[id] === 1);
    this.#remove(id);
  }

  #remove(id: number): void {
    const place = this.#placeOf[id]!;
    const moved = this.#idAt[this.resident--]!;
    this.#idAt[place] = moved;
    this.#placeOf[moved] = place;
    this.#placeOf[id] = 0;
  }
}

/** Evicts any resident with equal chance: what a policy must beat. Its draws follow from the seed of the run. */
export const random: CachePolicy = {
  name: "random",
  rule: "Evicts any expert with equal chance.",
  needs: [],
  parameters: {},
  create: (context) => new RandomCache(context),
};
