import { InvalidInputError, type Problem } from "../../core/errors.ts";
import { pow } from "../../core/pow.ts";
import { RandomStream } from "../../core/random.ts";
import { type Steps, withoutPause } from "../../core/steps.ts";
import { formatPercent } from "../../core/units.ts";
import { inOneStretch } from "../../files/signals.ts";
import type { RoutingTable } from "../routing-table.ts";
import { coveredShare, excessOverlap } from "./locality-curve.ts";
import { localityWeights } from "./locality-weights.ts";
import { permuted } from "./permutation.ts";
import { publishedRouting, publishedShapes } from "./published-routing.ts";
import type { LayerStatistics, RoutingStatistics } from "./routing-statistics.ts";
import { synthesisSteps } from "./synthesise-routing.ts";

/** Routing of a model without recorded or published statistics; every number is an assumption of the caller. */
export interface ParametricRouting {
  readonly name?: string;
  readonly experts: number;
  readonly topK: number;
  /** MoE layers; all follow the same statistics, with other experts popular in each. */
  readonly layers: number;
  /** Zipf exponent of expert popularity in a layer (inside each group, with groups); 0 = uniform. */
  readonly skew: number;
  /**
   * Chance that an expert of the previous token is used again: mean of |S(t) and S(t-1)| / topK. Up to topK / experts,
   * the value of uniform routing, tokens are independent and overlap follows from popularity alone.
   */
  readonly reuse?: number;
  /** Grouped top-k (MoGE, arXiv 2505.21411): topK / groups experts from each contiguous group of experts. */
  readonly groups?: number;
  /** 512 by default. */
  readonly sequenceTokens?: number;
  readonly tokens: number;
  /** Chooses which experts are popular, and the tokens. */
  readonly seed: number;
}

/** Routing from a popularity exponent and a reuse. */
export const parametricRouting = (options: ParametricRouting): RoutingTable => withoutPause(parametricSteps(options));

/** The same with pauses. */
export function* parametricSteps(options: ParametricRouting): Steps<RoutingTable> {
  const statistics = inOneStretch(() => parametricStatistics(options));
  yield;
  return yield* synthesisSteps(statistics, { tokens: options.tokens, seed: options.seed });
}

/**
 * Reuse at distances beyond the last token, which one number does not tell, follows the shape of the published
 * Qwen3-30B-A3B curve at the same multiples of topK.
 */
function parametricStatistics(options: ParametricRouting): RoutingStatistics {
  const { experts, topK, layers, groups = 1, sequenceTokens = 512 } = options;
  checkParameters(options);
  const reuse = dependentReuse(options);
  const popularity = zipfPopularity(experts, topK, options.skew, groups);
  const sizes = reuse === null ? [] : doublings(topK, experts);
  const { lru } = publishedShapes(publishedRouting["qwen3-30b-a3b"]);
  const strength = excessOverlap(reuse ?? 0, topK, experts);
  const assumedHitRate = (size: number): number => coveredShare(lru, size, strength, topK, experts);
  const logs = localityWeights(
    { experts, topK, groups },
    sizes,
    [{ popularity, hitRate: sizes.map(assumedHitRate) }],
    sequenceTokens,
    { rounds: 30, tokensPerRound: 8192 },
  );
  const places = new RandomStream(options.seed, "parametric routing");
  const fitted = logs.domains[0]![0]!;
  const layerStatistics = Array.from({ length: layers }, (_, layer): LayerStatistics => {
    const order = permutedInGroups(experts, groups, places.fork(`layer ${layer}`));
    const base = order.map((rank) => fitted.base.logs[rank]!);
    return {
      popularity: order.map((rank) => popularity[rank]!),
      hitRate: sizes.length === 0 ? [] : Array.from({ length: experts }, (_, size) => assumedHitRate(size + 1)),
      base,
      recency: Array.from(fitted.recency.logs),
      lead: base,
      leadRepeat: 0,
    };
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
      name: options.name ?? "parametric routing",
      digest: "",
      sourceRows: 0,
      phase: "unknown",
      notes: parametricNotes(options),
    },
  };
}

/** Statistics are fitted by trial runs, whose time grows with the experts; published models have up to 512. */
const expertsMax = 4096;

function checkParameters(options: ParametricRouting): void {
  const { experts, topK, layers, skew, reuse, groups = 1 } = options;
  const problems: Problem[] = [];
  const whole = (at: string, value: number, low: number, high: number): void => {
    if (!Number.isInteger(value) || value < low || value > high)
      problems.push({ at, expected: `a whole number from ${low} to ${high}`, found: value });
  };
  whole("experts", experts, 1, expertsMax);
  whole("topK", topK, 1, experts);
  whole("layers", layers, 1, 4096);
  whole("groups", groups, 1, topK);
  if (experts % groups !== 0)
    problems.push({ at: "groups", expected: `a divisor of ${experts} experts`, found: groups });
  if (topK % groups !== 0) problems.push({ at: "groups", expected: `a divisor of top-${topK}`, found: groups });
  if (!(skew >= 0 && skew <= 4)) problems.push({ at: "skew", expected: "a Zipf exponent from 0 to 4", found: skew });
  if (reuse !== undefined && !(reuse >= 0 && reuse <= 0.99))
    problems.push({ at: "reuse", expected: "a share from 0 to 0.99", found: reuse });
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

/** A random order that keeps experts in their contiguous groups. */
function permutedInGroups(experts: number, groups: number, random: RandomStream): number[] {
  const size = experts / groups;
  return Array.from({ length: groups }, (_, group) => permuted(size, random).map((at) => group * size + at)).flat();
}

/** The wanted overlap, or null where tokens are independent. */
function dependentReuse({ experts, topK, reuse }: ParametricRouting): number | null {
  return reuse === undefined || reuse <= topK / experts ? null : reuse;
}

function parametricNotes(options: ParametricRouting): string[] {
  const { skew, groups = 1 } = options;
  const reuse = dependentReuse(options);
  return [
    `assumed, not recorded: expert popularity follows a Zipf law with exponent ${skew} in every layer`,
    reuse === null
      ? "assumed: tokens are routed independently of each other"
      : `assumed: adjacent tokens share ${formatPercent(reuse)} of their experts; reuse at longer distances has the shape published for Qwen3-30B-A3B`,
    ...(groups > 1 ? [`grouped top-k: the same number of experts from each of ${groups} groups`] : []),
    "assumed: layers are independent of each other",
  ];
}
