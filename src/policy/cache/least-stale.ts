import { z } from "zod";
import type { CacheContext, CachePolicy } from "./expert-cache.ts";
import { Passes } from "./passes.ts";
import { RankedCache } from "./ranked-cache.ts";

/** Far above the number of loads of any run. */
const freshFrom = 2 ** 50;

class LeastStaleCache extends RankedCache {
  readonly #byLoad: boolean;
  readonly #passes = new Passes();
  /** Pass in which each object was last used or prefetched. */
  readonly #passOf: Float64Array;
  readonly #loadedAt: Float64Array;
  #loads = 0;

  constructor(context: CacheContext, order: "load" | "recency") {
    super(context);
    this.#byLoad = order === "load";
    this.#passOf = new Float64Array(context.objects);
    this.#loadedAt = new Float64Array(context.objects);
  }

  protected override entered(id: number): void {
    this.#loadedAt[id] = ++this.#loads;
    this.#passOf[id] = this.#passes.number;
  }

  protected override asked(keys: Uint32Array, from: number, to: number): void {
    this.#passes.call(this.layerOf(keys[from]! - this.base));
    for (let i = from; i < to; i++) this.#passOf[keys[i]! - this.base] = this.#passes.number;
  }

  protected rank(id: number): number {
    const fresh = this.#passOf[id] === this.#passes.number ? freshFrom : 0;
    return this.#byLoad ? fresh + this.#loadedAt[id]! : fresh;
  }
}

const parameters = {
  order: z
    .enum(["load", "recency"])
    .default("load")
    .describe(
      "Who goes first among stale experts, and then among fresh ones: the first loaded, or the least recently used, which makes it lru.",
    ),
};

/**
 * Least-Stale of SpecMD (arXiv 2602.03921; read through third-party implementations, not in the paper): within a pass through the model
 * an expert is used once, so those of this pass, used or prefetched, are fresh and stay; those of earlier passes are stale and go
 * first. Within a class the first loaded goes. By recency instead it is LRU itself, as a fresh expert is more recent than any
 * stale one: that is why moe-cache-eval's rows for it equal those of LRU. Marking by position in the token is left out.
 */
export const leastStale: CachePolicy<typeof parameters> = {
  name: "least-stale",
  rule: "Evicts experts of earlier passes through the model before those of this one, the first loaded first.",
  needs: [],
  parameters,
  create: (context, { order } = { order: "load" }) => new LeastStaleCache(context, order),
};
