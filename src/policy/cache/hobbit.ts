import { z } from "zod";
import type { CacheContext, CachePolicy } from "./expert-cache.ts";
import { layersAhead } from "./layer-distance.ts";
import { SequenceUses } from "./sequence-uses.ts";

interface Weights {
  readonly lru: number;
  readonly lfu: number;
  readonly fld: number;
}

class HobbitCache extends SequenceUses {
  readonly #weights: Weights;

  constructor(context: CacheContext, weights: Weights) {
    super(context);
    this.#weights = weights;
  }

  protected rank(id: number): number {
    const { lru, lfu, fld } = this.#weights;
    const recency = this.lastPassOf(id) / this.passes;
    const frequency = this.usesOf(id) / this.passes;
    const nearness = 1 - layersAhead(this.layerOf(id), this.layer, this.layers) / this.layers;
    return lru * recency + lfu * frequency + fld * nearness;
  }
}

const weight = (of: string) =>
  z
    .number()
    .min(0)
    .max(1e6)
    .default(1)
    .describe(`Weight of ${of}. HOBBIT's own are not published: 1 is an assumption.`);

const parameters = {
  lru: weight("recency: the pass of the last use over the passes of the request"),
  lfu: weight("frequency: uses over the passes of the request"),
  fld: weight("nearness: 1 less the distance of the layer, round the model, over the layers"),
};

/**
 * HOBBIT's weighted score (arXiv 2411.01433; secondary source, its weights are not known): recency, frequency and layer distance, each from 0
 * to 1, counted anew for every request. The fourth term, uses in high precision, adds to frequency here: a slot holds one
 * precision. The choice of precision by gate score, and its second cache, are left out.
 */
export const hobbit: CachePolicy<typeof parameters> = {
  name: "hobbit",
  rule: "Evicts the expert with the lowest weighted sum of recency, frequency and nearness of its layer.",
  needs: [],
  parameters,
  create: (context, weights = { lru: 1, lfu: 1, fld: 1 }) => new HobbitCache(context, weights),
};
