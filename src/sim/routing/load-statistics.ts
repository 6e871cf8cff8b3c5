import { holds } from "../../core/errors.ts";
import { sum } from "../../core/statistics.ts";
import { MeanCourse } from "../outcome/mean-course.ts";
import type { LayerLoad, RankBalance } from "../result.ts";
import type { ExpertWork } from "./expert-ranks.ts";

/** Load balance and distinct experts over the run, per MoE layer and per expert rank. */
export class LoadStatistics {
  private readonly imbalance: Float64Array;
  private readonly imbalanceMax: Float64Array;
  private readonly distinct: Float64Array;
  private readonly pairs: Float64Array;
  private readonly none: Float64Array;
  private readonly rankShare: Float64Array;
  /** [layers][ranks] pairs, and experts (or copies) touched, summed over steps. */
  readonly rankPairs: Float64Array;
  readonly rankDistinct: Float64Array;
  /** Heaviest rank over the mean rank, mean over layers: steps and their sum, over time. */
  readonly course = new MeanCourse();
  private balancedness = 0;
  private imbalanceScore = 0;
  /** Steps with at least one token. */
  steps = 0;
  /** Pairs and choices without an expert = tokens x topK was verified so often: once per step and layer. */
  checked = 0;

  constructor(layers: number, ranks: number) {
    this.imbalance = new Float64Array(layers);
    this.imbalanceMax = new Float64Array(layers);
    this.distinct = new Float64Array(layers);
    this.pairs = new Float64Array(layers);
    this.none = new Float64Array(layers);
    this.rankShare = new Float64Array(ranks);
    this.rankPairs = new Float64Array(layers * ranks);
    this.rankDistinct = new Float64Array(layers * ranks);
  }

  /**
   * Books a step of `tokens` tokens that begins at `atNs`. Checks that every layer routed tokens x topK pairs, or left choices without an
   * expert.
   */
  addStep({ layers, ranks, pairs, distinct, none }: ExpertWork, tokens: number, topK: number, atNs: number): void {
    if (tokens === 0) return;
    this.steps++;
    let routedInAll = 0;
    let maxInAll = 0;
    let ratios = 0;
    for (let layer = 0; layer < layers; layer++) {
      let routed = 0;
      let max = 0;
      let min = Number.POSITIVE_INFINITY;
      let touched = 0;
      for (let at = layer * ranks; at < (layer + 1) * ranks; at++) {
        const load = pairs[at]!;
        routed += load;
        touched += distinct[at]!;
        this.rankPairs[at]! += load;
        this.rankDistinct[at]! += distinct[at]!;
        if (load > max) max = load;
        if (load < min) min = load;
      }
      routedInAll += routed;
      maxInAll += max;
      this.imbalanceScore += (max - min) / tokens;
      const left = none[layer]!;
      if (routed + left !== tokens * topK)
        holds(
          false,
          "expert-counts",
          () =>
            `layer ${layer}: ${routed} pairs and ${left} choices without an expert for ${tokens} tokens x top-${topK}`,
        );
      // A step that visits no expert is in balance.
      const ratio = routed === 0 ? 1 : (max * ranks) / routed;
      this.imbalance[layer]! += ratio;
      ratios += ratio;
      if (ratio > this.imbalanceMax[layer]!) this.imbalanceMax[layer] = ratio;
      this.distinct[layer]! += touched;
      this.pairs[layer]! += routed;
      this.none[layer]! += left;
      for (let r = 0; r < ranks; r++)
        this.rankShare[r]! += routed === 0 ? 1 : (pairs[layer * ranks + r]! * ranks) / routed;
    }
    this.balancedness += maxInAll === 0 ? 1 : routedInAll / ranks / maxInAll;
    if (layers > 0) this.course.add(atNs, 1, ratios / layers);
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
      ...(this.none[layer]! > 0 ? { withoutExpert: this.none[layer]! } : {}),
    }));
  }

  /** Share of all choices that no expert computed. */
  withoutExpertShare(): number {
    const none = sum(this.none);
    return none === 0 ? 0 : none / (none + sum(this.pairs));
  }

  /** Null before the first step. */
  rankBalance(): RankBalance | null {
    const { steps } = this;
    if (steps === 0) return null;
    const layers = Math.max(1, this.imbalance.length);
    return { balancedness: this.balancedness / steps, imbalanceScore: this.imbalanceScore / (steps * layers) };
  }

  /** Mean load of each rank relative to the mean rank. */
  rankLoad(): number[] {
    const samples = Math.max(1, this.steps * this.imbalance.length);
    return Array.from(this.rankShare, (share) => share / samples);
  }
}
