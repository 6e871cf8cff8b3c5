import { z } from "zod";
import type { CacheContext, CachePolicy } from "./expert-cache.ts";
import { RankedCache } from "./ranked-cache.ts";

class LayerDistanceCache extends RankedCache {
  readonly #ahead: number | undefined;
  #layer = 0;

  constructor(context: CacheContext, ahead: number | undefined) {
    super(context);
    this.#ahead = ahead;
  }

  protected override asked(keys: Uint32Array, from: number): void {
    this.#layer = this.layerOf(keys[from]! - this.base);
  }

  protected rank(id: number): number {
    const distance = layersAhead(this.layerOf(id), this.#layer, this.layers);
    if (this.#ahead === undefined) return -distance;
    return distance <= this.#ahead ? 1 : 0;
  }
}

/** Layers until a pass that is at `now` comes to `layer`, round the model: 0 for the layer itself. */
export const layersAhead = (layer: number, now: number, layers: number): number => (layer - now + layers) % layers;

const parameters = {
  ahead: z
    .int()
    .min(0)
    .max(1e4)
    .optional()
    .describe(
      "Keeps the experts of the layer that computes and of this many after it, and ranks all others by recency (MoE-Infinity's " +
        "lru_ds: 2). Default: every expert is ranked by the distance of its layer (HOBBIT).",
    ),
};

/**
 * The distance of an expert's layer from the one that computes, round the model, as one term of HOBBIT's score (arXiv 2411.01433)
 * and, with `ahead`, as lru_ds of MoE-Infinity's prototype (github.com/EfficientMoE/MoE-Infinity). Experts whose layer comes last
 * go first. Those of the computing layer count as nearest, as in HOBBIT, although they come a whole pass later. HOBBIT's other
 * terms are in `hobbit`. lru_ds counts to the last layer and no further; here distance goes round the model in both.
 */
export const layerDistance: CachePolicy<typeof parameters> = {
  name: "layer-distance",
  rule: "Evicts the expert whose layer is farthest ahead of the one that computes, ties to the least recently used.",
  needs: ["layers"],
  parameters,
  create: (context, { ahead } = {}) => new LayerDistanceCache(context, ahead),
};
