import { holds } from "../../core/errors.ts";
import type { CacheContext, CachePolicy, ExpertCache } from "./expert-cache.ts";

/** A fixed set, loaded before the first call and never changed. Misses stream through or run elsewhere. */
class StaticCache implements ExpertCache {
  readonly capacity: number;
  readonly resident: number;
  readonly #base: number;
  readonly #isResident: Uint8Array;

  constructor(context: CacheContext) {
    holds(context.popularity !== null, "cache-policy-needs", () => "static residency without popularity");
    this.capacity = context.capacity;
    this.#base = context.base ?? 0;
    this.#isResident = new Uint8Array(context.objects);
    const top = mostPopular(context.popularity, context.objects, context.capacity);
    for (const id of top) this.#isResident[id] = 1;
    this.resident = top.length;
  }

  contains(key: number): boolean {
    return this.#isResident[key - this.#base] === 1;
  }

  call(keys: Uint32Array, from: number, to: number, hit: Uint8Array): number {
    const base = this.#base;
    const isResident = this.#isResident;
    let hits = 0;
    for (let i = from; i < to; i++) {
      const wasResident = isResident[keys[i]! - base]!;
      hit[i - from] = wasResident;
      hits += wasResident;
    }
    return hits;
  }

  /** A fixed set lets nothing in, so nothing that was prefetched ever leaves it. */
  insert(): boolean {
    return false;
  }

  drop(): void {}
}

/** The `count` most popular of the first `objects` ids, most popular first, ties to the lower id. */
function mostPopular(popularity: Float64Array, objects: number, count: number): Uint32Array {
  const order = Uint32Array.from({ length: objects }, (_, id) => id);
  order.sort((a, b) => popularity[b]! - popularity[a]! || a - b);
  return order.subarray(0, count);
}

/** Keeps the experts most used in the fitting set, as Fiddler does (arXiv 2402.07033). */
export const staticTop: CachePolicy = {
  name: "static",
  rule: "Evicts nothing: the experts most used in the fitting set are loaded before the run and stay.",
  needs: ["popularity"],
  parameters: {},
  create: (context) => new StaticCache(context),
};
