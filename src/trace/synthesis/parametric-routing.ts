import { InvalidInputError, type Problem } from "../../core/errors.ts";
import { pow } from "../../core/pow.ts";
import { RandomStream } from "../../core/random.ts";
import type { LayerGoal } from "./calibrate.ts";
import { permuted } from "./interpolate.ts";
import { coveredShare, excessOverlap } from "./locality-curve.ts";
import { localityWeights } from "./locality-weights.ts";
import { publishedRouting, publishedShapes } from "./published-routing.ts";
import type { LayerStatistics, RoutingStatistics } from "./routing-statistics.ts";

/** Routing of a model without recorded or published statistics; every number is an assumption of the caller. */
export interface ParametricRouting {
  readonly name: string;
  readonly experts: number;
  readonly topK: number;
  /** MoE layers; all follow the same statistics, with other experts popular in each. */
  readonly layers: number;
  /** Zipf exponent of expert popularity in a layer (inside each group, with groups); 0 = uniform. */
  readonly skew: number;
  /** Mean of |S(t) and S(t-1)| / topK. Left out, tokens are independent and overlap follows from popularity alone. */
  readonly adjacentOverlap?: number;
  /** Grouped top-k (MoGE, arXiv 2505.21411): topK / groups experts from each contiguous group of experts. */
  readonly groups?: number;
  /** 512 by default. */
  readonly sequenceTokens?: number;
  /** Chooses which experts are popular. */
  readonly seed?: number;
}

/**
 * Generator statistics from a popularity exponent and an overlap. Reuse at distances beyond the last token, which the
 * overlap does not tell, follows the shape of the published Qwen3-30B-A3B curve at the same multiples of topK.
 */
export function parametricRouting(options: ParametricRouting): RoutingStatistics {
  const { experts, topK, layers, adjacentOverlap, groups = 1, sequenceTokens = 512 } = options;
  checkParameters(options);
  const popularity = zipfPopularity(experts, topK, options.skew, groups);
  const sizes = adjacentOverlap === undefined ? [] : doublings(topK, experts);
  const hitRate = sizes.map((size) => assumedHitRate(size, adjacentOverlap ?? 0, topK, experts));
  const { goals, logs } = localityWeights(
    { experts, topK, groups },
    sizes,
    [{ popularity, hitRate }],
    sequenceTokens,
    { rounds: 30, tokensPerRound: 8192 },
  );
  const places = new RandomStream(options.seed ?? 0, `parametric routing ${options.name}`);
  const fitted = logs.domains[0]![0]!;
  const goal = goals[0]!;
  const layerStatistics = Array.from({ length: layers }, (_, layer) => {
    const order = permutedInGroups(experts, groups, places.fork(`layer ${layer}`));
    return placed(goal, adjacentOverlap === undefined, fitted.base.logs, fitted.recency.logs, order);
  });
  return {
    format: "moecast.routing-statistics/1",
    experts,
    topK,
    layers,
    modelLayers: Array.from({ length: layers }, (_, layer) => layer),
    groups,
    domains: [{ name: "assumed", share: 1, sequenceTokens: [sequenceTokens], layers: layerStatistics }],
    lifts: [],
    pairs: [],
    origin: {
      kind: "synthesised",
      name: options.name,
      digest: "",
      sourceRows: 0,
      phase: "unknown",
      notes: parametricNotes(options),
    },
  };
}

function checkParameters(options: ParametricRouting): void {
  const { experts, topK, layers, skew, adjacentOverlap, groups = 1 } = options;
  const problems: Problem[] = [];
  const whole = (at: string, value: number, low: number, high: number): void => {
    if (!Number.isInteger(value) || value < low || value > high)
      problems.push({ at, expected: `a whole number from ${low} to ${high}`, found: value });
  };
  whole("experts", experts, 1, 65536);
  whole("topK", topK, 1, experts);
  whole("layers", layers, 1, 4096);
  whole("groups", groups, 1, topK);
  if (experts % groups !== 0) problems.push({ at: "groups", expected: `a divisor of ${experts} experts`, found: groups });
  if (topK % groups !== 0) problems.push({ at: "groups", expected: `a divisor of top-${topK}`, found: groups });
  if (!(skew >= 0 && skew <= 4)) problems.push({ at: "skew", expected: "a Zipf exponent from 0 to 4", found: skew });
  if (adjacentOverlap !== undefined && !(adjacentOverlap >= topK / experts && adjacentOverlap < 1))
    problems.push({
      at: "adjacentOverlap",
      expected: `a share from ${topK / experts} (uniform routing) to 1`,
      found: adjacentOverlap,
    });
  if (problems.length > 0) throw new InvalidInputError(problems);
}

/** Zipf shares by expert, most popular first in each group; none is chosen by more than 95 % of the tokens. */
function zipfPopularity(experts: number, topK: number, skew: number, groups: number): number[] {
  const size = experts / groups;
  const most = 0.95 / topK;
  const weights = Array.from({ length: experts }, (_, expert) => pow((expert % size) + 1, -skew));
  let shares = normalised(weights);
  for (let round = 0; round < 50 && Math.max(...shares) > most * 1.0001; round++)
    shares = normalised(shares.map((share) => Math.min(share, most)));
  return shares;
}

function normalised(values: readonly number[]): number[] {
  const sum = values.reduce((total, value) => total + value, 0);
  return values.map((value) => value / sum);
}

/** topK, 2 topK, 4 topK, ... below the number of experts. */
function doublings(topK: number, experts: number): number[] {
  const sizes: number[] = [];
  for (let size = topK; size < experts; size *= 2) sizes.push(size);
  return sizes;
}

function assumedHitRate(size: number, overlap: number, topK: number, experts: number): number {
  const { lru } = publishedShapes(publishedRouting["qwen3-30b-a3b"]);
  return coveredShare(lru, size, excessOverlap(overlap, topK, experts), topK, experts);
}

/** A random order that keeps experts in their contiguous groups. */
function permutedInGroups(experts: number, groups: number, random: RandomStream): number[] {
  const size = experts / groups;
  return Array.from({ length: groups }, (_, group) => permuted(size, random).map((at) => group * size + at)).flat();
}

function placed(
  goal: LayerGoal,
  independent: boolean,
  base: Float64Array,
  recency: Float64Array,
  order: readonly number[],
): LayerStatistics {
  const byPlace = order.map((rank) => base[rank]!);
  return {
    popularity: order.map((rank) => goal.counts[rank]! / goal.curve.accesses),
    hitRate: independent ? [] : Array.from(goal.curve.hits.subarray(1), (hits) => hits / goal.curve.accesses),
    base: byPlace,
    recency: Array.from(recency),
    lead: byPlace,
    leadRepeat: 0,
  };
}

function parametricNotes({ skew, adjacentOverlap, groups = 1 }: ParametricRouting): string[] {
  return [
    `assumed, not recorded: expert popularity follows a Zipf law with exponent ${skew} in every layer`,
    adjacentOverlap === undefined
      ? "assumed: tokens are routed independently of each other"
      : `assumed: adjacent tokens share ${adjacentOverlap * 100} % of their experts; reuse at longer distances has the shape published for Qwen3-30B-A3B`,
    ...(groups > 1 ? [`grouped top-k: the same number of experts from each of ${groups} groups`] : []),
    "assumed: layers are independent of each other",
  ];
}
