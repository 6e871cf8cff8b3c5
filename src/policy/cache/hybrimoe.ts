import { z } from "zod";
import { holds } from "../../core/errors.ts";
import type { CacheContext, CachePolicy } from "./expert-cache.ts";
import { RankedCache } from "./ranked-cache.ts";

class HybriMoeCache extends RankedCache {
  readonly #alpha: number;
  readonly #scores: Float64Array;

  constructor(context: CacheContext, alpha: number) {
    super(context);
    this.#alpha = alpha;
    this.#scores = new Float64Array(context.objects);
  }

  protected override asked(keys: Uint32Array, from: number, to: number, weights?: Float64Array): void {
    holds(weights !== undefined, "cache-policy-needs", () => "scores of experts without router weights");
    const called = keys[from]! - this.base;
    const first = called - (called % this.expertsPerLayer);
    for (let id = first; id < first + this.expertsPerLayer; id++) this.#scores[id]! *= 1 - this.#alpha;
    let sum = 0;
    for (let i = 0; i < to - from; i++) sum += weights[i]!;
    if (sum <= 0) return;
    for (let i = from; i < to; i++) this.#scores[keys[i]! - this.base]! += (this.#alpha * weights[i - from]!) / sum;
  }

  protected rank(id: number): number {
    return this.#scores[id]!;
  }
}

const parameters = {
  alpha: z
    .number()
    .gt(0)
    .max(1)
    .default(0.5)
    .describe(
      "Share of the latest call of a layer in the scores of its experts. HybriMoE's is not known: 0.5 is an assumption.",
    ),
};

/**
 * MRS, the score-aware cache of HybriMoE (arXiv 2504.05897; secondary source): every call of a layer moves the score of each of its
 * experts, resident or not, towards its share of the call's router weights: S = alpha s + (1 - alpha) S. The lowest score
 * leaves. The paper takes the 2k highest scores of a token; a trace holds those of the k chosen experts, so an expert that just
 * failed to be chosen counts as 0 here.
 */
export const hybriMoe: CachePolicy<typeof parameters> = {
  name: "hybrimoe",
  rule: "Evicts the expert with the lowest running mean of its share of the router weights.",
  needs: ["weights"],
  parameters,
  create: (context, { alpha } = { alpha: 0.5 }) => new HybriMoeCache(context, alpha),
};
