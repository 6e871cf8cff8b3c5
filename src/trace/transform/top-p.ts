import { z } from "zod";
import { refuse } from "../../core/errors.ts";
import { formatPercent } from "../../core/units.ts";
import { noExpertId, type RoutingTable } from "../routing-table.ts";
import { idsToChange, type RoutingTransform } from "./routing-transform.ts";

const parameters = {
  p: z
    .number()
    .gt(0)
    .max(1)
    .describe("Share of the weight of a token's recorded experts that the kept ones have at least; 1 keeps all."),
};

/**
 * Dynamic routing (Harder Tasks Need More Experts, arXiv 2403.07652): a token keeps its experts in order of weight
 * until their sum reaches p, so that sure tokens visit fewer. The paper sums probabilities over all experts and trains
 * the router for it; here they are the recorded k alone, normalised to 1, so that the same p keeps fewer.
 */
export const topP: RoutingTransform<typeof parameters> = {
  name: "top-p",
  rule: "Dynamic routing: keeps a token's experts in order of weight until they have a share p of it, at least one.",
  parameters,
  needs: () => ["weights"],
  describe: ({ p }) =>
    `a token keeps its experts in order of weight until they have ${formatPercent(p)} of that of its recorded ones`,
  apply(table, { p }) {
    // Experts whose weight is rounded to 0 are kept too.
    if (p === 1) return table;
    const { topK } = table;
    const ids = idsToChange(table);
    const choice = new Choice(table);
    for (let from = 0; from < ids.length; from += topK) {
      choice.read(from);
      const kept = choice.reaching(p);
      for (let rank = kept; rank < choice.count; rank++) ids[from + choice.order[rank]!] = noExpertId(table);
    }
    return { ...table, ids };
  },
};

/** What one token chose in one layer, by descending weight; equal weights in stored order. Reused from choice to choice. */
class Choice {
  /** Experts that earlier transforms have left. */
  count = 0;
  /** Places of them among the k. */
  readonly order: Int32Array;
  private readonly table: RoutingTable;
  private readonly weights: Float32Array;
  private from = 0;

  constructor(table: RoutingTable) {
    this.table = table;
    this.weights = table.weights!;
    this.order = new Int32Array(table.topK);
  }

  read(from: number): void {
    const { weights, order } = this;
    const { ids, topK } = this.table;
    const none = noExpertId(this.table);
    this.from = from;
    this.count = 0;
    for (let k = 0; k < topK; k++) {
      if (ids[from + k] === none) continue;
      let rank = this.count++;
      for (; rank > 0 && weights[from + order[rank - 1]!]! < weights[from + k]!; rank--) order[rank] = order[rank - 1]!;
      order[rank] = k;
    }
  }

  /** How many of the heaviest have a share p of the weight of all. */
  reaching(p: number): number {
    const { count, order, weights, from } = this;
    if (count === 0) return 0;
    let total = 0;
    for (let rank = 0; rank < count; rank++) total += weights[from + order[rank]!]!;
    if (!(total > 0) || weights[from + order[count - 1]!]! < 0) this.refuseWeights();
    let sum = 0;
    let kept = 0;
    do sum += weights[from + order[kept++]!]!;
    while (kept < count && sum < p * total);
    return kept;
  }

  private refuseWeights(): never {
    const { topK, layers, modelLayers } = this.table;
    const layer = Math.floor(this.from / topK) % layers;
    refuse({
      expected: `weights of at least 0, and one above it, in layer ${modelLayers[layer] ?? layer}`,
      found: [...this.weights.subarray(this.from, this.from + topK)],
    });
  }
}
