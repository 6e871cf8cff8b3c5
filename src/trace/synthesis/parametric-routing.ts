import { InvalidInputError, type Problem } from "../../core/errors.ts";
import { RandomStream } from "../../core/random.ts";
import { type Steps, withoutPause } from "../../core/steps.ts";
import { formatPercent } from "../../core/units.ts";
import { inOneStretch } from "../../files/signals.ts";
import type { RoutingTable } from "../routing-table.ts";
import { type ChoiceGroups, givesEqually, limitsGroups } from "./choice-groups.ts";
import { overlapOfPopularity, type PopularityLaw, popularityShares } from "./popularity-law.ts";
import type { LayerStatistics, RoutingStatistics } from "./routing-statistics.ts";
import { synthesisSteps } from "./synthesise-routing.ts";
import { laterTokens, topicWeights } from "./topic-weights.ts";

/** Routing of a model without recorded or published statistics; every number is an assumption of the caller. */
export interface ParametricRouting {
  readonly name?: string;
  readonly experts: number;
  readonly topK: number;
  /** MoE layers; all follow the same statistics, with other experts popular in each. */
  readonly layers: number;
  /** Of the experts of a layer (inside each group, with groups), over many sequences. */
  readonly popularity: PopularityLaw;
  /**
   * Share of a token's experts that the next token uses again: mean of |S(t) and S(t-1)| / topK. Up to topK / experts,
   * the value of uniform routing, tokens are independent and overlap follows from popularity alone.
   */
  readonly reuse?: number;
  /** The same 64 tokens on: what the topic of a sequence keeps in use. By default what popularity alone gives. */
  readonly laterReuse?: number;
  /** What remains of the preference for recent experts each topK places further down the LRU stack; 0.8 by default. */
  readonly fade?: number;
  /** Contiguous groups of experts: grouped top-k (MoGE, arXiv 2505.21411) takes topK / groups experts from each. */
  readonly groups?: number;
  /** In place of that: a token's experts lie in so many groups at most (DeepSeek-V3), those of its experts that are drawn first. */
  readonly groupsKept?: number;
  /** 512 by default. */
  readonly sequenceTokens?: number;
  readonly tokens: number;
  /** Chooses which experts are popular, and the tokens. */
  readonly seed: number;
}

/** Routing from a popularity law and how much of it returns. */
export const parametricRouting = (options: ParametricRouting): RoutingTable => withoutPause(parametricSteps(options));

/** The same with pauses. */
export function* parametricSteps(options: ParametricRouting): Steps<RoutingTable> {
  const statistics = inOneStretch(() => parametricStatistics(options));
  yield;
  return yield* synthesisSteps(statistics, { tokens: options.tokens, seed: options.seed });
}

function parametricStatistics(options: ParametricRouting): RoutingStatistics {
  const { experts, topK, layers, fade = 0.8, sequenceTokens = 512 } = options;
  const grouping = groupingOf(options);
  const { groups } = grouping;
  checkParameters(options);
  const popularity = givesEqually(grouping)
    ? popularityShares(options.popularity, experts, topK, groups)
    : dealtOut(popularityShares(options.popularity, experts, topK, 1), groups);
  const reuse = dependentReuse(options);
  const laterReuse = options.laterReuse ?? overlapOfPopularity(popularity, topK);
  const weights = topicWeights({ experts, topK, ...grouping, popularity, reuse, laterReuse, fade });
  const places = new RandomStream(options.seed, "parametric routing");
  const layerStatistics = Array.from({ length: layers }, (_, layer): LayerStatistics => {
    const order = permutedInGroups(experts, grouping, places.fork(`layer ${layer}`));
    const base = order.map((rank) => weights.base[rank]!);
    return {
      popularity: order.map((rank) => popularity[rank]!),
      hitRate: [],
      base,
      topic: weights.topic,
      recency: weights.recency,
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
    ...grouping,
    domains: [{ name: "assumed", share: 1, sequenceTokens: [sequenceTokens], layers: layerStatistics }],
    lifts: [],
    pairs: [],
    origin: {
      kind: "synthesised",
      name: options.name ?? "parametric routing",
      digest: "",
      sourceRows: 0,
      phase: "unknown",
      notes: parametricNotes(options, laterReuse),
    },
  };
}

/** Weights are found by trial runs, whose time grows with the experts; published models have up to 512. */
const expertsMax = 4096;

function checkParameters(options: ParametricRouting): void {
  const { experts, topK, layers, popularity, groups = 1, groupsKept } = options;
  const problems: Problem[] = [];
  const whole = (at: string, value: number, low: number, high: number): void => {
    if (!Number.isInteger(value) || value < low || value > high)
      problems.push({ at, expected: `a whole number from ${low} to ${high}`, found: value });
  };
  whole("experts", experts, 1, expertsMax);
  whole("topK", topK, 1, experts);
  whole("layers", layers, 1, 4096);
  whole("groups", groups, 1, groupsKept === undefined ? topK : experts);
  if (experts % groups !== 0)
    problems.push({ at: "groups", expected: `a divisor of ${experts} experts`, found: groups });
  else if (groupsKept !== undefined) whole("groupsKept", groupsKept, Math.ceil((topK * groups) / experts), groups);
  else if (topK % groups !== 0) problems.push({ at: "groups", expected: `a divisor of top-${topK}`, found: groups });
  if ("skew" in popularity && !(popularity.skew >= 0 && popularity.skew <= 4))
    problems.push({ at: "skew", expected: "a Zipf exponent from 0 to 4", found: popularity.skew });
  if ("popularityCv" in popularity && !(popularity.popularityCv >= 0 && popularity.popularityCv <= 4))
    problems.push({ at: "popularityCv", expected: "a variation from 0 to 4", found: popularity.popularityCv });
  for (const at of ["reuse", "laterReuse", "fade"] as const) {
    const value = options[at];
    if (value !== undefined && !(value >= 0 && value <= 0.99))
      problems.push({ at, expected: "a share from 0 to 0.99", found: value });
  }
  if (options.laterReuse !== undefined && options.laterReuse > (options.reuse ?? 1))
    problems.push({ at: "laterReuse", expected: `at most the reuse, ${options.reuse}`, found: options.laterReuse });
  if (problems.length > 0) throw new InvalidInputError(problems);
}

function groupingOf({ groups = 1, groupsKept }: ParametricRouting): ChoiceGroups {
  return groupsKept === undefined ? { groups } : { groups, groupsKept };
}

/** Shares by falling popularity, dealt out to contiguous groups so that none has the popular experts. */
function dealtOut(shares: readonly number[], groups: number): number[] {
  const size = shares.length / groups;
  return Array.from(shares, (_, expert) => shares[(expert % size) * groups + Math.floor(expert / size)]!);
}

/** A random order that keeps experts in their contiguous groups; whole groups change places where a token does not have experts of all. */
function permutedInGroups(experts: number, grouping: ChoiceGroups, random: RandomStream): number[] {
  const { groups } = grouping;
  const size = experts / groups;
  const inside = Array.from({ length: groups }, (_, group) =>
    random.shuffle(Array.from({ length: size }, (_, at) => group * size + at)),
  );
  return (limitsGroups(grouping) ? random.shuffle(inside) : inside).flat();
}

/** The wanted overlap, or null where tokens are independent. */
function dependentReuse({ experts, topK, reuse }: ParametricRouting): number | null {
  return reuse === undefined || reuse <= topK / experts ? null : reuse;
}

function parametricNotes(options: ParametricRouting, laterReuse: number): string[] {
  const { popularity } = options;
  const grouping = groupingOf(options);
  const { groups, groupsKept } = grouping;
  const reuse = dependentReuse(options);
  return [
    "skew" in popularity
      ? `assumed: expert popularity follows a Zipf law with exponent ${popularity.skew} in every layer`
      : `assumed: expert popularity varies by ${popularity.popularityCv} (Gamma law) in every layer`,
    reuse === null
      ? "assumed: tokens are routed independently of each other"
      : `assumed: adjacent tokens share ${formatPercent(reuse)} of their experts, tokens ${laterTokens} apart ${formatPercent(laterReuse)}`,
    ...(givesEqually(grouping) ? [`grouped top-k: the same number of experts from each of ${groups} groups`] : []),
    ...(limitsGroups(grouping)
      ? [
          `assumed: experts of a token lie in ${groupsKept} of ${groups} groups, those of the experts that are drawn first; popular experts are dealt out to groups evenly`,
        ]
      : []),
    "assumed: layers are independent of each other",
  ];
}
