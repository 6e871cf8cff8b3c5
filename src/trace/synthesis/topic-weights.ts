import { pow } from "../../core/pow.ts";
import { RandomStream } from "../../core/random.ts";
import { withoutPause } from "../../core/steps.ts";
import type { RoutingTable } from "../routing-table.ts";
import { overlapAtLag } from "../stats/overlap.ts";
import { expertCounts } from "../stats/popularity.ts";
import type { ChoiceGroups } from "./choice-groups.ts";
import { drawRouting, type RoutingModel } from "./draw-routing.ts";
import { overlapOfPopularity } from "./popularity-law.ts";
import { sequencePlan } from "./sequence-plan.ts";

/** What a layer is to show, in a few numbers. */
export interface TopicGoal extends ChoiceGroups {
  readonly experts: number;
  readonly topK: number;
  /** Share of the selections by expert, over many sequences. */
  readonly popularity: readonly number[];
  /** Share of a token's experts that the next token of its sequence uses too; null: tokens are independent. */
  readonly reuse: number | null;
  /** The same {@link laterTokens} tokens on. */
  readonly laterReuse: number;
  /** What remains of the preference for recent experts each `topK` places further down the LRU stack, 0 .. 1. */
  readonly fade: number;
}

/** Tokens between two that share what their sequence is about and no more: recorded overlap is level from 32 on. */
export const laterTokens = 64;

/** Log weights that show the goal. */
export interface TopicWeights {
  readonly base: readonly number[];
  /** Standard deviation over experts of what a sequence adds to `base`. */
  readonly topic: number;
  /** By depth in the LRU stack, then unused experts. */
  readonly recency: readonly number[];
}

const rounds = 30;
/** Sequences of a trial run in the second half of the rounds; a quarter of them in the first. */
const sequencesLate = 32;
const baseStep = 0.3;
const reuseStep = 0.6;
const strongest = 8;

/** Goals whose weights are kept: runs of one scenario with other settings ask for the same ones again. */
const keptMax = 16;
const kept = new Map<string, TopicWeights>();

/** Weights of a goal, found once. */
export function topicWeights(goal: TopicGoal): TopicWeights {
  const key = JSON.stringify(goal);
  const weights = kept.get(key) ?? foundWeights(goal);
  kept.delete(key);
  kept.set(key, weights);
  if (kept.size > keptMax) kept.delete(kept.keys().next().value!);
  return weights;
}

/**
 * Three causes of reuse, each with a number of its own: popularity that all sequences share, a topic that lasts a
 * sequence, and a preference for the last experts that fades within a few tokens. Weights are found on trial runs, each
 * of which corrects them by what it got wrong (stochastic approximation, Robbins and Monro 1951).
 */
function foundWeights(goal: TopicGoal): TopicWeights {
  const { experts, topK, popularity, reuse, laterReuse } = goal;
  const base = popularity.map((share) => Math.log(share * experts + 1e-3));
  let variance = reuse === null ? 0 : Math.max(0, Math.log(laterReuse / overlapOfPopularity(popularity, topK)));
  let repeat = 0;
  const streams = new RandomStream(0, "topic weights");
  for (let round = 0; round < rounds; round++) {
    const late = round - rounds / 2;
    const sequences = late < 0 ? sequencesLate / 4 : sequencesLate;
    const step = late <= 0 ? 1 : 1 / (1 + late / 2);
    const weights = { base, topic: Math.sqrt(variance), recency: recencyOf(goal, repeat) };
    const shown = trialRun(goal, weights, sequences, streams.fork(`round ${round}`));
    const counts = expertCounts(shown, 0);
    for (const [expert, share] of popularity.entries()) {
      const wanted = share * shown.rows * topK;
      const gap = (wanted - counts[expert]!) / (wanted + 1);
      base[expert]! += baseStep * step * Math.max(-1.5, Math.min(1.5, gap));
    }
    if (reuse === null) continue;
    repeat += reuseStep * step * oddsGap(reuse, overlapAtLag(shown, 0, 1).share);
    repeat = Math.max(-strongest, Math.min(strongest, repeat));
    variance += reuseStep * step * oddsGap(laterReuse, overlapAtLag(shown, 0, laterTokens).share);
    variance = Math.max(0, Math.min(strongest, variance));
  }
  return { base, topic: Math.sqrt(variance), recency: recencyOf(goal, repeat) };
}

/** Log weights act on odds: the gap of a share over what one unit of log odds moves it by. */
function oddsGap(wanted: number, shown: number): number {
  return (wanted - shown) / Math.max(0.02, wanted * (1 - wanted));
}

function recencyOf({ experts, topK, fade }: TopicGoal, repeat: number): number[] {
  return Array.from({ length: experts + 1 }, (_, depth) => repeat * pow(fade, Math.floor(depth / topK)));
}

/** One layer of many short sequences: topics differ by chance, and a few long ones would not tell their mean. */
function trialRun(goal: TopicGoal, weights: TopicWeights, sequences: number, streams: RandomStream): RoutingTable {
  const { experts, topK, groups, groupsKept } = goal;
  const length = 4 * laterTokens;
  const tokens = sequences * length;
  const plan = sequencePlan([{ share: 1, sequenceTokens: [length] }], tokens, streams.fork("lengths"));
  const layer = {
    base: Float64Array.from(weights.base, Math.exp),
    recency: Float64Array.from(weights.recency, Math.exp),
    topic: weights.topic,
    lift: null,
    pair: null,
    lead: new Float64Array(experts).fill(1),
    leadRepeat: 1,
  };
  const model: RoutingModel = {
    experts,
    topK,
    layers: 1,
    groups,
    ...(groupsKept === undefined ? {} : { groupsKept }),
    weights: [[layer]],
  };
  return {
    experts,
    topK,
    layers: 1,
    rows: tokens,
    ids: withoutPause(drawRouting(model, plan, streams)),
    sequenceStarts: plan.starts,
    domains: ["trial run"],
    domainStarts: plan.domainStarts,
    modelLayers: [0],
    origin: { kind: "synthesised", name: "trial run", digest: "", sourceRows: tokens, phase: "unknown", notes: [] },
  };
}
