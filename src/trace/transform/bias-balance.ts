import { z } from "zod";
import { refuse } from "../../core/errors.ts";
import { noExpertId, type RoutingTable } from "../routing-table.ts";
import type { RoutingTransform } from "./routing-transform.ts";

const parameters = {
  u: z.number().min(0).max(1e6).default(0.001).describe("Step of the bias, in units of the scores; 0 changes nothing."),
  update: z
    .enum(["sign", "proportional"])
    .default("sign")
    .describe("Whether a bias moves by u, or by u times how far its expert is from the mean load, as a share of that."),
  every: z.int().min(1).max(1_000_000_000).default(1024).describe("Tokens after which biases move."),
  freezeAfter: z.int().min(0).max(1_000_000_000).optional().describe("Updates after which biases stay; default never."),
};

/**
 * Auxiliary-loss-free balancing at serving time (ALF-LB, arXiv 2512.03915, as DeepSeek-V3 trains with it): a bias on each expert's
 * score decides who is chosen, and grows by u where the expert had less than the mean load. Weights go by the scores alone. Tokens
 * come in the order of the trace. The model's answers change.
 */
export const biasBalance: RoutingTransform<typeof parameters> = {
  name: "bias-balance",
  rule: "Chooses the experts of highest score plus a bias, which rises for experts with less than the mean load (ALF-LB).",
  parameters,
  needs: () => ["scores"],
  describe: ({ u, update, every, freezeAfter }) =>
    `biases move by ${u}${update === "sign" ? "" : " x distance from the mean load"} every ${every} tokens${freezeAfter === undefined ? "" : `, ${freezeAfter} times`}`,
  apply(table, { u, update, every, freezeAfter = Infinity }) {
    if (u === 0) return table;
    const { layers, rows } = table;
    const changed = {
      ...table,
      ids: table.ids.slice(),
      ...(table.weights === undefined ? {} : { weights: table.weights.slice() }),
    };
    for (let layer = 0; layer < layers; layer++) {
      const balancer = new LayerBalance(table, changed, layer);
      for (let row = 0, updates = 0; row < rows; row++) {
        balancer.choose(row);
        if ((row + 1) % every === 0 && updates++ < freezeAfter) balancer.move(u, update);
      }
    }
    return changed;
  },
};

/** Biases of one layer, and what its experts got since they moved. */
class LayerBalance {
  private readonly bias: Float64Array;
  private readonly counts: Float64Array;
  private readonly taken: Uint8Array;
  private readonly table: RoutingTable;
  private readonly changed: RoutingTable;
  private readonly layer: number;

  constructor(table: RoutingTable, changed: RoutingTable, layer: number) {
    this.table = table;
    this.changed = changed;
    this.layer = layer;
    this.bias = new Float64Array(table.experts);
    this.counts = new Float64Array(table.experts);
    this.taken = new Uint8Array(table.experts);
  }

  /** Chooses for a row as many experts as it has, of those that are kept. */
  choose(row: number): void {
    const { table, changed, layer, bias, counts, taken } = this;
    const { topK, experts, layers, ids } = table;
    const from = (row * layers + layer) * topK;
    const scores = table.scores!.subarray((row * layers + layer) * experts, (row * layers + layer + 1) * experts);
    const perScore = this.weightPerScore(from, scores);
    for (let expert = 0; expert < experts; expert++)
      taken[expert] = Number(table.kept?.[layer * experts + expert] === 0);
    for (let at = from; at < from + topK; at++) {
      if (ids[at] === noExpertId(table)) continue;
      let best = -1;
      for (let expert = 0; expert < experts; expert++)
        if (taken[expert] === 0 && (best < 0 || scores[expert]! + bias[expert]! > scores[best]! + bias[best]!))
          best = expert;
      taken[best] = 1;
      counts[best]! += 1;
      changed.ids[at] = best;
      if (changed.weights !== undefined) changed.weights[at] = scores[best]! * perScore;
    }
  }

  /** Weight that a unit of score has among the recorded choices. Refuses choices that go by more than scores. */
  private weightPerScore(from: number, scores: Float32Array): number {
    const { ids, topK, weights, modelLayers, experts, kept } = this.table;
    let [weight, score, lowest, chosen] = [0, 0, Infinity, 0];
    for (let at = from; at < from + topK; at++) {
      if (ids[at]! >= experts) continue;
      chosen++;
      weight += weights?.[at] ?? 0;
      score += scores[ids[at]!]!;
      lowest = Math.min(lowest, scores[ids[at]!]!);
    }
    let higher = 0;
    for (let expert = 0; expert < experts; expert++)
      if (scores[expert]! > lowest && kept?.[this.layer * experts + expert] !== 0) higher++;
    if (higher >= chosen && chosen > 0)
      refuse({
        expected: `choices of the highest scores in layer ${modelLayers[this.layer] ?? this.layer}, to tell what a bias changes`,
        found: `${ids.subarray(from, from + topK).join(", ")} with a higher score among the others`,
        hint: "routers with a bias or groups choose otherwise, and so do earlier transforms of the same layer",
      });
    return score === 0 ? 0 : weight / score;
  }

  /** Raises the biases of experts below the mean load and lowers the others', then counts anew. */
  move(u: number, update: "sign" | "proportional"): void {
    const { bias, counts, table, layer } = this;
    const has = (expert: number): boolean => table.kept?.[layer * table.experts + expert] !== 0;
    let [sum, number] = [0, 0];
    for (let expert = 0; expert < counts.length; expert++) {
      sum += counts[expert]!;
      number += Number(has(expert));
    }
    const mean = sum / number;
    for (let expert = 0; expert < counts.length; expert++) {
      if (!has(expert)) continue;
      const missing = mean - counts[expert]!;
      bias[expert]! += u * (update === "sign" ? Math.sign(missing) : mean === 0 ? 0 : missing / mean);
    }
    counts.fill(0);
  }
}
