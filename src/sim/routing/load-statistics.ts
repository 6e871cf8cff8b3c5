import { holds } from "../../core/errors.ts";
import type { LayerLoad } from "../result.ts";
import type { ExpertWork } from "./expert-ranks.ts";

/** Load balance and distinct experts over the run, per MoE layer and per expert rank. */
export class LoadStatistics {
  private readonly imbalance: Float64Array;
  private readonly imbalanceMax: Float64Array;
  private readonly distinct: Float64Array;
  private readonly pairs: Float64Array;
  private readonly rankShare: Float64Array;
  private steps = 0;
  /** Pairs = tokens x topK was verified so often: once per step and layer. */
  checked = 0;

  constructor(layers: number, ranks: number) {
    this.imbalance = new Float64Array(layers);
    this.imbalanceMax = new Float64Array(layers);
    this.distinct = new Float64Array(layers);
    this.pairs = new Float64Array(layers);
    this.rankShare = new Float64Array(ranks);
  }

  /** Books a step of `tokens` tokens. Checks that every layer routed tokens x topK pairs. */
  addStep({ layers, ranks, pairs, distinct }: ExpertWork, tokens: number, topK: number): void {
    if (tokens === 0) return;
    this.steps++;
    for (let layer = 0; layer < layers; layer++) {
      let sum = 0;
      let max = 0;
      let touched = 0;
      for (let at = layer * ranks; at < (layer + 1) * ranks; at++) {
        const load = pairs[at]!;
        sum += load;
        touched += distinct[at]!;
        if (load > max) max = load;
      }
      if (sum !== tokens * topK)
        holds(false, "expert-counts", () => `layer ${layer}: ${sum} pairs for ${tokens} tokens x top-${topK}`);
      const ratio = (max * ranks) / sum;
      this.imbalance[layer]! += ratio;
      if (ratio > this.imbalanceMax[layer]!) this.imbalanceMax[layer] = ratio;
      this.distinct[layer]! += touched;
      this.pairs[layer]! += sum;
      for (let r = 0; r < ranks; r++) this.rankShare[r]! += (pairs[layer * ranks + r]! * ranks) / sum;
    }
    this.checked += layers;
  }

  /** @param expertSkew [layers] heaviest over mean expert. */
  layers(expertSkew: readonly number[]): LayerLoad[] {
    const steps = Math.max(1, this.steps);
    return Array.from(this.imbalance, (imbalance, layer) => ({
      imbalance: imbalance / steps,
      imbalanceMax: this.imbalanceMax[layer]!,
      expertSkew: expertSkew[layer]!,
      distinctExperts: this.distinct[layer]! / steps,
      pairs: this.pairs[layer]!,
    }));
  }

  /** Mean load of each rank relative to the mean rank. */
  rankLoad(): number[] {
    const samples = Math.max(1, this.steps * this.imbalance.length);
    return Array.from(this.rankShare, (share) => share / samples);
  }
}
