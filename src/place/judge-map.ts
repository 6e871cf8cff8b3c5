import { type LoadBalance, loadBalance } from "../policy/placement/load-balance.ts";
import type { Placement } from "../policy/placement/placement.ts";
import { rankLoads } from "../policy/placement/placement-measures.ts";
import { ExpertRanks } from "../sim/routing/expert-ranks.ts";
import { countsOf } from "../trace/load-counts.ts";
import type { RoutingTable } from "../trace/routing-table.ts";
import { type LaneSteps, laneSteps } from "../trace/stats/lane-steps.ts";
import type { MapBalance } from "./comparison.ts";

const stepsMax = 256;

/** Traffic that maps are judged on, counted once for all of them. */
export interface JudgedTraffic {
  readonly table: RoutingTable;
  /** [MoE layers] trace layer of each. */
  readonly layerMap: readonly number[];
  /** [MoE layers][experts] tokens of each expert. */
  readonly loads: Float64Array;
  readonly steps: LaneSteps;
}

export function judgedTraffic(table: RoutingTable, layerMap: readonly number[], batch: number): JudgedTraffic {
  return { table, layerMap, loads: layerLoadsOf(table, layerMap), steps: laneSteps(table, batch, stepsMax) };
}

/** [MoE layers][experts] tokens of each expert over all rows. */
export function layerLoadsOf(table: RoutingTable, layerMap: readonly number[]): Float64Array {
  const { counts, experts } = countsOf(table);
  const loads = new Float64Array(layerMap.length * experts);
  for (const [layer, traceLayer] of layerMap.entries())
    loads.set(counts.subarray(traceLayer * experts, (traceLayer + 1) * experts), layer * experts);
  return loads;
}

/** Balance of a map over the whole traffic, and mean over its steps; copies share whole tokens as in a simulated step. */
export function judgeMap(placement: Placement, { loads, layerMap, steps }: JudgedTraffic): MapBalance {
  const { ranks } = placement;
  const split = new ExpertRanks(placement, layerMap);
  const work = split.newWork();
  let ratios = 0;
  let balancedness = 0;
  for (const counts of steps.counts) {
    split.split(counts, work);
    const balance = loadBalance(work.pairs, ranks);
    ratios += balance.maxOverMean;
    balancedness += balance.balancedness;
  }
  const taken = steps.counts.length;
  return {
    whole: wholeBalance(placement, loads),
    step: { maxOverMean: ratios / taken, balancedness: balancedness / taken },
  };
}

export const wholeBalance = (placement: Placement, loads: Float64Array): LoadBalance =>
  loadBalance(rankLoads(placement, loads), placement.ranks);
