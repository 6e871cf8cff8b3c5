import { z } from "zod";
import type { CacheContext, CachePolicy } from "./expert-cache.ts";
import { layersAhead } from "./layer-distance.ts";
import { RankedCache } from "./ranked-cache.ts";

/** Above any surplus of a layer: the rank of an expert that is expected in this step. */
const expectedRank = 2 ** 40;

class PlecCache extends RankedCache {
  readonly #horizon: number;
  /** One plus the number of experts that are wanted more, for each that is expected in this step; 0 for the others. */
  readonly #place: Uint32Array;
  #foreseen = 0;
  /** [layers] experts that each layer is expected to ask for: as foreseen, or as many as it asked for last. */
  readonly #expected: Float64Array;
  readonly #lastAsked: Float64Array;
  /** [layers] slots that are due to each layer, and those it has. */
  readonly #due: Float64Array;
  readonly #held: Float64Array;
  #layer = 0;

  constructor(context: CacheContext, horizon: number | undefined) {
    super(context);
    this.#horizon = horizon ?? this.layers;
    this.#place = new Uint32Array(context.objects);
    this.#expected = new Float64Array(this.layers);
    this.#lastAsked = new Float64Array(this.layers);
    this.#due = new Float64Array(this.layers);
    this.#held = new Float64Array(this.layers);
  }

  foresee(keys: Uint32Array, from: number, to: number): void {
    this.#place.fill(0);
    this.#expected.fill(0);
    for (let i = from; i < to; i++) {
      const id = keys[i]! - this.base;
      this.#place[id] = i - from + 1;
      this.#expected[this.layerOf(id)]!++;
    }
    this.#foreseen = to - from;
    this.#share();
  }

  protected override asked(keys: Uint32Array, from: number, to: number): void {
    this.#layer = this.layerOf(keys[from]! - this.base);
    this.#lastAsked[this.#layer] = to - from;
    this.#share();
  }

  protected override entered(id: number): void {
    this.#held[this.layerOf(id)]!++;
  }

  protected override left(id: number): void {
    this.#held[this.layerOf(id)]!--;
  }

  protected override get ranksShift(): boolean {
    return true;
  }

  protected rank(id: number): number {
    const place = this.#place[id]!;
    if (place > 0 && this.#isNear(this.layerOf(id))) return expectedRank - place;
    return this.#due[this.layerOf(id)]! - this.#held[this.layerOf(id)]!;
  }

  #isNear(layer: number): boolean {
    return layersAhead(layer, this.#layer, this.layers) < this.#horizon;
  }

  /** Shares all slots in proportion to what the layers within the horizon are expected to ask for. */
  #share(): void {
    const demand = this.#foreseen > 0 ? this.#expected : this.#lastAsked;
    let sum = 0;
    for (let layer = 0; layer < this.layers; layer++) if (this.#isNear(layer)) sum += demand[layer]!;
    for (let layer = 0; layer < this.layers; layer++)
      this.#due[layer] = sum > 0 && this.#isNear(layer) ? (this.capacity * demand[layer]!) / sum : 0;
  }
}

const parameters = {
  horizonLayers: z
    .int()
    .min(1)
    .max(1e4)
    .optional()
    .describe("Layers, from the one that computes on and round the model, whose demand counts. Default: all."),
};

/**
 * The predictive cache of ExpertFlow (arXiv 2410.17954; secondary source, which gives the idea and no formula): slots move between layers by predicted demand. Each
 * layer is due a share of all slots in proportion to the experts that the prefetcher expects of it in this step. Experts that are
 * not expected leave first, from the layer that holds most above its due, ties to the least recently used; then the expected
 * ones, the least wanted first. Without predictions, each layer is expected to ask for as many experts as the last time, and
 * nobody knows which. The predictor itself is a prefetcher's; the regrouping of tokens is left out.
 */
export const plec: CachePolicy<typeof parameters> = {
  name: "plec",
  rule: "Evicts unexpected experts first, from the layer with most slots above its share of the predicted demand.",
  needs: ["layers"],
  parameters,
  create: (context, { horizonLayers } = {}) => new PlecCache(context, horizonLayers),
};
