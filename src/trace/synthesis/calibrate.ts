import { RandomStream } from "../../core/random.ts";
import { sum } from "../../core/statistics.ts";
import { withoutPause } from "../../core/steps.ts";
import type { RoutingTable } from "../routing-table.ts";
import { accessesAtDepth, type LruCurve } from "../stats/lru-curve.ts";
import type { ChoiceGroups } from "./choice-groups.ts";
import { drawRouting, type RoutingModel } from "./draw-routing.ts";
import type { LayerLogs, LogWeights, RoutingLogs } from "./routing-logs.ts";
import { measureRouting } from "./routing-measure.ts";
import { type PlannedDomain, sequencePlan } from "./sequence-plan.ts";

export interface FitOptions {
  /** Trial runs; each corrects the weights by what the run got wrong. 60 by default. */
  readonly rounds?: number;
  /** Tokens of a trial run in the second half of the rounds; a quarter of it in the first. 20,000 by default. */
  readonly tokensPerRound?: number;
  /** Seed of the trial runs. What is generated later comes from other streams. */
  readonly seed?: number;
}

/** What trial runs are compared with. Counts may be of any size; only their proportions matter. */
export interface RoutingGoal extends ChoiceGroups {
  readonly experts: number;
  readonly topK: number;
  readonly layers: number;
  readonly plan: readonly PlannedDomain[];
  /** [domain][layer] */
  readonly domains: readonly (readonly LayerGoal[])[];
  readonly transitions: readonly Float64Array[];
  readonly pairs: readonly Float64Array[];
}

export interface LayerGoal {
  readonly tokens: number;
  readonly counts: Float64Array;
  readonly curve: LruCurve;
  /** Tokens whose first stored expert is each expert, and the share that repeats it. */
  readonly leads: { readonly counts: Float64Array; readonly repeat: number };
}

const baseStep = 0.3;
const leadStep = 0.3;

/**
 * Fits the log weights in place by iterative proportional fitting on trial runs: after each run every log weight moves
 * by the log ratio of the goal to what the run showed. Steps shrink in the second half, so that the noise of single
 * runs averages out (stochastic approximation, Robbins and Monro 1951).
 */
export function calibrate(
  logs: RoutingLogs,
  goal: RoutingGoal,
  depthEdges: readonly number[],
  options: FitOptions,
): void {
  const rounds = options.rounds ?? 60;
  const tokensLate = options.tokensPerRound ?? 20_000;
  const streams = new RandomStream(options.seed ?? 0, "routing fit");
  for (let round = 0; round < rounds; round++) {
    const late = round - Math.floor(rounds / 2);
    const tokens = wholeRounds(goal, late < 0 ? Math.ceil(tokensLate / 4) : tokensLate);
    const step = late <= 0 ? 1 : 1 / (1 + late / 2);
    const trial = trialRun(logs, goal, tokens, streams.fork(`round ${round}`));
    const shown = measureRouting(trial, logs.lifts.length + logs.pairs.length > 0);
    for (const [domain, layers] of goal.domains.entries())
      for (const [layer, wanted] of layers.entries())
        correctLayer(logs.domains[domain]![layer]!, wanted, shown.domains[domain]![layer]!, depthEdges, step);
    // All lifts towards an expert that come from one token act together: their steps have to share the correction.
    const liftStep = step * Math.min(0.25, 1 / goal.topK);
    for (const [layer, lift] of logs.lifts.entries())
      correctLift(lift, goal.transitions[layer]!, shown.transitions[layer]!, goal, goal.topK, liftStep);
    for (const [layer, pair] of logs.pairs.entries())
      correctLift(pair, goal.pairs[layer]!, shown.pairs[layer]!, goal, goal.topK - 1, liftStep);
  }
}

/**
 * About `tokens`, in which every length of every domain comes equally often: a part of a round would change the mix. Just
 * `tokens` where one round takes more than twice as many.
 */
function wholeRounds(goal: RoutingGoal, tokens: number): number {
  const inRound = goal.plan.reduce(
    (sum, { sequenceTokens }) => sum + sequenceTokens.reduce((total, length) => total + length, 0),
    0,
  );
  return inRound > 2 * tokens ? tokens : Math.max(1, Math.round(tokens / inRound)) * inRound;
}

function trialRun(logs: RoutingLogs, goal: RoutingGoal, tokens: number, streams: RandomStream): RoutingTable {
  const plan = sequencePlan(goal.plan, tokens, streams.fork("lengths"));
  return {
    ...goal,
    rows: tokens,
    ids: withoutPause(drawRouting(modelOf(logs, goal), plan, streams)),
    sequenceStarts: plan.starts,
    domains: goal.plan.map((_, domain) => `domain ${domain}`),
    domainStarts: plan.domainStarts,
    modelLayers: Array.from({ length: goal.layers }, (_, layer) => layer),
    origin: { kind: "synthesised", name: "trial run", digest: "", sourceRows: tokens, phase: "unknown", notes: [] },
  };
}

function modelOf(logs: RoutingLogs, goal: RoutingGoal): RoutingModel {
  const lifts = logs.lifts.map((lift) => Float32Array.from(lift.weights()));
  const pairs = logs.pairs.map((pair) => Float32Array.from(pair.weights()));
  const weights = logs.domains.map((layers) =>
    layers.map((layer, index) => ({
      base: layer.base.weights(),
      recency: layer.recency.weights(),
      topic: 0,
      lift: lifts[index - 1] ?? null,
      pair: pairs[index] ?? null,
      lead: layer.lead.weights(),
      leadRepeat: Math.exp(layer.leadRepeat.logs[0]!),
    })),
  );
  return { ...goal, weights };
}

interface LayerShown {
  readonly tokens: number;
  readonly counts: Float64Array;
  readonly curve: LruCurve;
  readonly leads: { readonly counts: Float64Array; readonly repeat: number };
}

function correctLayer(
  logs: LayerLogs,
  goal: LayerGoal,
  shown: LayerShown,
  depthEdges: readonly number[],
  step: number,
): void {
  if (goal.tokens === 0 || shown.tokens === 0) return;
  const scale = shown.tokens / goal.tokens;
  for (let e = 0; e < goal.counts.length; e++)
    logs.base.move(e, baseStep * step * gap(goal.counts[e]! * scale, shown.counts[e]!));
  const goalDepths = accessesAtDepth(goal.curve);
  const shownDepths = accessesAtDepth(shown.curve);
  for (let bin = 0; bin + 1 < depthEdges.length; bin++) {
    let wanted = 0;
    let got = 0;
    for (let depth = depthEdges[bin]!; depth < depthEdges[bin + 1]!; depth++) {
      wanted += goalDepths[depth]! * scale;
      got += shownDepths[depth]!;
    }
    const by = baseStep * step * gap(wanted, got);
    for (let depth = depthEdges[bin]!; depth < depthEdges[bin + 1]!; depth++) logs.recency.move(depth, by);
  }
  for (let e = 0; e < goal.counts.length; e++) {
    const wanted = (goal.leads.counts[e]! / Math.max(1, goal.counts[e]!)) * shown.counts[e]!;
    logs.lead.move(e, leadStep * step * gap(wanted, shown.leads.counts[e]!));
  }
  const repeats = gap(goal.leads.repeat * shown.tokens, shown.leads.repeat * shown.tokens);
  logs.leadRepeat.move(0, leadStep * step * repeats);
}

/**
 * Moves the lift of each (row, column) by the gap between the odds of the column given the row, less the gap of the
 * column's popularity, which the base weights answer for; the latter is damped as the former is, or else lifts with
 * few counts would follow popularity alone and fight the base weights. `perToken` columns are chosen per row of a token.
 */
function correctLift(
  lift: LogWeights,
  goal: Float64Array,
  shown: Float64Array,
  { experts }: RoutingGoal,
  perToken: number,
  size: number,
): void {
  const goalColumns = columnSums(goal, experts);
  const shownColumns = columnSums(shown, experts);
  const scale = sum(shownColumns) / Math.max(1, sum(goalColumns));
  const popularity = goalColumns.map((column, e) => gap(column * scale, shownColumns[e]!));
  for (let row = 0; row < goal.length; row += experts) {
    const goalRow = sum(goal.subarray(row, row + experts));
    const shownRow = sum(shown.subarray(row, row + experts));
    if (goalRow === 0 || shownRow === 0) continue;
    for (let e = 0; e < experts; e++) {
      const wanted = (goal[row + e]! / goalRow) * shownRow;
      const odds = oddsGap(wanted, shown[row + e]!, shownRow / perToken);
      lift.move(row + e, size * (odds - (popularity[e]! * wanted) / (wanted + 1)));
    }
  }
}

function columnSums(counts: Float64Array, experts: number): Float64Array {
  const sums = new Float64Array(experts);
  for (let row = 0; row < counts.length; row += experts) for (let e = 0; e < experts; e++) sums[e]! += counts[row + e]!;
  return sums;
}

/**
 * What is missing, as a share of the wanted count; for small gaps the log ratio. Linear in the shown count, so that its
 * mean is 0 when the generator is right even where counts are rare (a log ratio is not, and drifts).
 */
function gap(wanted: number, shown: number): number {
  return bounded((wanted - shown) / (wanted + 1));
}

/** The same for `wanted` of `of` chances: weights act on odds, and probabilities near 1 hardly move otherwise. */
function oddsGap(wanted: number, shown: number, of: number): number {
  return bounded((wanted - shown) / (wanted * Math.max(0.05, 1 - wanted / of) + 1));
}

function bounded(gap: number): number {
  return Math.max(-1.5, Math.min(1.5, gap));
}
