import { z } from "zod";
import { phaseOf, shareByWeight } from "./by-weight.ts";
import type { Dispatcher, DispatchPolicy, DispatchSite } from "./dispatch.ts";
import { perExpert } from "./per-expert.ts";

const parameters = {
  u: z.number().min(0).max(10).default(0.5).describe("Step of the prices; 0 leaves the copies of an expert equal."),
};

/**
 * Every rank has a price in each layer, which rises by u times how far the tokens of its last batch were above the mean, as a share of
 * that, and falls below it. A copy takes a part of the expert's tokens in proportion to e^-price of its rank. This is the dual view of
 * auxiliary-loss-free balancing (ALF-LB, arXiv 2512.03915) among copies, where it changes no answer: prices are the multipliers of the
 * equal loads, and move against the slack. Copies compute the same, so that it needs no scores. Prices start at 0 and know batches
 * that are done, never the one at hand. A new placement begins anew.
 */
export const dualAscentDispatch: DispatchPolicy<typeof parameters> = {
  name: "dual-ascent",
  rule: "copies take the more tokens the lower the prices of their ranks, which follow the loads of the batches before (ALF-LB)",
  parameters,
  needs: [],
  remembers: true,
  leavesOut: "the all-reduce of the ranks' loads after every batch (no engine is known to have the rule)",
  create: (site, { u }) => new PricedRanks(site, u),
};

class PricedRanks implements Dispatcher {
  private readonly site: DispatchSite;
  private readonly u: number;
  /** [layers x ranks] */
  private readonly prices: Float64Array;
  /** [ranks] tokens of the batch at hand. */
  private readonly load: Float64Array;
  /** [copies of the expert at hand] */
  private readonly weights: Float64Array;
  /** Divides by the prices as they are. */
  private readonly divider: Dispatcher;

  constructor(site: DispatchSite, u: number) {
    const { copies, experts, layers, ranks } = site;
    this.site = site;
    this.u = u;
    this.prices = new Float64Array(layers * ranks);
    this.load = new Float64Array(ranks);
    this.weights = new Float64Array(copies.ranks.length);
    this.divider = perExpert(copies, experts, (expert, first, count, tokens, shares, _all, layer) => {
      this.weigh(layer, first, count);
      shareByWeight(tokens, phaseOf(expert), this.weights, 0, count, shares, first);
    });
  }

  share: Dispatcher["share"] = (layer, tokens, shares) => {
    this.divider.share(layer, tokens, shares);
    this.move(layer, shares);
  };

  /** Writes the weights of `count` copies of an expert, which add up to 1. */
  private weigh(layer: number, first: number, count: number): void {
    const { prices, weights } = this;
    const { copies, ranks } = this.site;
    let lowest = Infinity;
    for (let copy = 0; copy < count; copy++) {
      weights[copy] = prices[layer * ranks + copies.ranks[first + copy]!]!;
      lowest = Math.min(lowest, weights[copy]!);
    }
    let sum = 0;
    for (let copy = 0; copy < count; copy++) {
      weights[copy] = Math.exp(lowest - weights[copy]!);
      sum += weights[copy]!;
    }
    for (let copy = 0; copy < count; copy++) weights[copy]! /= sum;
  }

  /** Moves the prices of a layer by the tokens that its ranks were given. */
  private move(layer: number, shares: Float64Array): void {
    const { load, prices, u } = this;
    const { copies, experts, ranks } = this.site;
    load.fill(0);
    let sum = 0;
    for (let copy = copies.starts[layer * experts]!; copy < copies.starts[(layer + 1) * experts]!; copy++) {
      load[copies.ranks[copy]!]! += shares[copy]!;
      sum += shares[copy]!;
    }
    if (sum === 0) return;
    const mean = sum / ranks;
    for (let rank = 0; rank < ranks; rank++) prices[layer * ranks + rank]! += (u * (load[rank]! - mean)) / mean;
  }
}
