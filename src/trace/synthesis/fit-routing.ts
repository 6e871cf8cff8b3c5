import { RandomStream } from "../../core/random.ts";
import type { RoutingTable } from "../routing-table.ts";
import type { LruCurve } from "../stats/lru-curve.ts";
import { shares } from "../stats/popularity.ts";
import { drawRouting, type RoutingModel } from "./draw-routing.ts";
import { type LayerMeasure, measureRouting, type RoutingMeasure } from "./routing-measure.ts";
import { type DomainStatistics, packLift, type RoutingStatistics } from "./routing-statistics.ts";
import { sequencePlan } from "./sequence-plan.ts";

export interface FitOptions {
  /** Trial runs; each corrects the weights by what the run got wrong. */
  readonly rounds?: number;
  /** Tokens of a trial run. */
  readonly tokensPerRound?: number;
  /** Seed of the trial runs. Generate with another one: the fit must not depend on it. */
  readonly seed?: number;
}

/** Log weights under correction. */
interface LayerLogs {
  readonly base: Float64Array;
  readonly recency: Float64Array;
  readonly lead: Float64Array;
  leadRepeat: number;
}

interface ModelLogs {
  /** [domain][layer] */
  readonly domains: readonly (readonly LayerLogs[])[];
  /** [layer] towards the next one. */
  readonly lifts: readonly Float64Array[];
  readonly pairs: readonly Float64Array[];
}

/**
 * Fits the generator to a table by iterative proportional fitting on trial runs: after each run every log weight moves
 * by the log ratio of the target to what the run showed, with steps that shrink in the second half, so that the noise
 * of single runs averages out (stochastic approximation, Robbins and Monro 1951).
 */
export function fitRouting(table: RoutingTable, options: FitOptions = {}): RoutingStatistics {
  const rounds = options.rounds ?? 40;
  const tokens = options.tokensPerRound ?? 20_000;
  const streams = new RandomStream(options.seed ?? 0, "routing fit");
  const target = measureRouting(table);
  const logs = initialLogs(table, target);
  const frame = describeDomains(table, target, logs);
  for (let round = 0; round < rounds; round++) {
    const plan = sequencePlan(frame, { tokens, seed: round });
    const ids = drawRouting(modelOf(table, logs), plan, streams.fork(`round ${round}`));
    const trial = measureRouting({
      ...table,
      ids,
      rows: tokens,
      sequenceStarts: plan.starts,
      domainStarts: plan.domainStarts,
    });
    if (process.env["LOG"] && round % 5 === 4) console.log(round, grade(target, trial, experts_(table)));
    const late = Math.max(0, round - rounds / 2);
    correct(logs, target, trial, table, 1 / (1 + late / 2));
  }
  return {
    ...frame,
    lifts: logs.lifts.length === 0 ? null : logs.lifts.map(packLift),
    pairs: process.env["PAIR"] ? logs.pairs.map(packLift) : null,
    domains: describeDomains(table, target, logs).domains,
  };
}

function initialLogs(table: RoutingTable, target: RoutingMeasure): ModelLogs {
  const { experts } = table;
  const domains = target.domains.map((layers) =>
    layers.map((layer) => ({
      base: Float64Array.from(shares(layer.counts), (share) => Math.log(share * experts + 1e-3) / 2),
      recency: new Float64Array(experts + 1),
      lead: new Float64Array(experts),
      leadRepeat: 0,
    })),
  );
  return { domains, lifts: target.transitions.map(() => new Float64Array(experts * experts)), pairs: target.pairs.map(() => new Float64Array(experts * experts)) };
}

function modelOf(table: RoutingTable, logs: ModelLogs): RoutingModel {
  const lifts = logs.lifts.map((lift) => Float32Array.from(lift, Math.exp));
  return {
    experts: table.experts,
    topK: table.topK,
    layers: table.layers,
    groups: 1,
    weights: logs.domains.map((layers) =>
      layers.map((layer, index) => ({
        base: layer.base.map(Math.exp),
        recency: layer.recency.map(Math.exp),
        lift: lifts[index - 1] ?? null,
        pair: process.env["PAIR"] ? Float32Array.from(logs.pairs[index]!, Math.exp) : null,
        lead: layer.lead.map(Math.exp),
        leadRepeat: Math.exp(layer.leadRepeat),
      })),
    ),
  };
}

function correct(logs: ModelLogs, target: RoutingMeasure, trial: RoutingMeasure, table: RoutingTable, step: number): void {
  const { experts, topK } = table;
  const bins = depthBins(experts, topK);
  for (const [domain, layers] of logs.domains.entries())
    for (const [index, layer] of layers.entries()) {
      const goal = target.domains[domain]![index]!;
      const shown = trial.domains[domain]![index]!;
      if (goal.tokens === 0 || shown.tokens === 0) continue;
      const scale = shown.tokens / goal.tokens;
      for (let e = 0; e < experts; e++) {
        move(layer.base, e, EB * step * logRatio(goal.counts[e]! * scale, shown.counts[e]!));
        const leadGoal = goal.leads[e]! / Math.max(1, goal.counts[e]!);
        move(layer.lead, e, 0.5 * step * logRatio(leadGoal * shown.counts[e]!, shown.leads[e]!));
      }
      const goalDepths = depths(goal.curve);
      const shownDepths = depths(shown.curve);
      for (let bin = 0; bin + 1 < bins.length; bin++) {
        let wanted = 0;
        let got = 0;
        for (let depth = bins[bin]!; depth < bins[bin + 1]!; depth++) {
          wanted += goalDepths[depth]! * scale;
          got += shownDepths[depth]!;
        }
        const by = EB * step * logRatio(wanted, got);
        for (let depth = bins[bin]!; depth < bins[bin + 1]!; depth++) move(layer.recency, depth, by);
      }
      const pairs = shown.overlap.pairs;
      layer.leadRepeat += step * logRatio(goal.overlap.leadRepeat * pairs, shown.overlap.leadRepeat * pairs);
    }
  for (const [index, lift] of logs.lifts.entries())
    correctLift(lift, target.transitions[index]!, trial.transitions[index]!, experts, EL * step, topK);
  if (process.env["PAIR"]) for (const [index, lift] of logs.pairs.entries())
    correctLift(lift, target.pairs[index]!, trial.pairs[index]!, experts, EL * step, topK - 1);
}

function correctLift(lift: Float64Array, goal: Float64Array, shown: Float64Array, experts: number, step: number, topK: number): void {
  const goalColumns = columnSums(goal, experts);
  const shownColumns = columnSums(shown, experts);
  const all = goalColumns.reduce((sum, value) => sum + value, 0);
  const shownAll = shownColumns.reduce((sum, value) => sum + value, 0);
  for (let row = 0; row < experts; row++) {
    let wanted = 0;
    let got = 0;
    for (let e = 0; e < experts; e++) {
      wanted += goal[row * experts + e]!;
      got += shown[row * experts + e]!;
    }
    if (wanted === 0 || got === 0) continue;
    for (let e = 0; e < experts; e++) {
      const at = row * experts + e;
      const popularity = logRatio(goalColumns[e]! * (shownAll / all), shownColumns[e]!);
      move(lift, at, step * (logitGap((goal[at]! / wanted) * got, shown[at]!, got / topK) - popularity));
    }
  }
}

function columnSums(counts: Float64Array, experts: number): Float64Array {
  const sums = new Float64Array(experts);
  for (let at = 0; at < counts.length; at++) sums[at % experts]! += counts[at]!;
  return sums;
}

function logitGap(wanted: number, shown: number, of: number): number {
  const a = Math.log((wanted + 0.5) / (of - wanted + 0.5));
  const b = Math.log((shown + 0.5) / (of - shown + 0.5));
  return Math.max(-1.5, Math.min(1.5, a - b));
}
/** Log of wanted over shown counts, steadied by half a count. */
function logRatio(wanted: number, shown: number): number {
  return Math.max(-1.5, Math.min(1.5, Math.log((wanted + 0.5) / (shown + 0.5))));
}

const velocities = new WeakMap<Float64Array, Float64Array>();
const LIM = Number(process.env['LIM'] ?? 8);
const BETA = Number(process.env["BETA"] ?? 0);
const EL = Number(process.env["EL"] ?? 0.6);
const EB = Number(process.env["EB"] ?? 0.6);
function move(logs: Float64Array, at: number, by: number): void {
  let v = velocities.get(logs);
  if (v === undefined) velocities.set(logs, (v = new Float64Array(logs.length)));
  v[at] = BETA * v[at]! + by;
  logs[at] = Math.max(-LIM, Math.min(LIM, logs[at]! + v[at]!));
}

/** Accesses at each depth of the LRU stack; the last entry counts first uses. */
function depths(curve: LruCurve): Float64Array {
  const counts = new Float64Array(curve.hits.length);
  for (let depth = 0; depth + 1 < curve.hits.length; depth++) counts[depth] = curve.hits[depth + 1]! - curve.hits[depth]!;
  counts[curve.hits.length - 1] = curve.coldMisses;
  return counts;
}

/** Depths corrected together: single ones up to 2 topK, then bins 15 % wide; first uses apart. */
function depthBins(experts: number, topK: number): number[] {
  const edges = [0];
  for (let edge = 0; edge < experts; ) {
    edge = Math.min(experts, edge < 2 * topK ? edge + 1 : Math.ceil(edge * 1.15));
    edges.push(edge);
  }
  edges.push(experts + 1);
  return edges;
}

function describeDomains(table: RoutingTable, target: RoutingMeasure, logs: ModelLogs): RoutingStatistics {
  const domains: DomainStatistics[] = table.domains.map((name, domain) => ({
    name,
    share: (table.domainStarts[domain + 1]! - table.domainStarts[domain]!) / table.rows,
    sequenceTokens: sequenceLengths(table, domain),
    layers: target.domains[domain]!.map((goal, layer) => describeLayer(goal, logs.domains[domain]![layer]!)),
  }));
  return {
    format: "moecast.routing-statistics/1",
    experts: table.experts,
    topK: table.topK,
    layers: table.layers,
    modelLayers: table.modelLayers,
    groups: 1,
    domains,
    lifts: null,
    pairs: null,
    origin: { ...table.origin, notes: [...table.origin.notes, `statistics fitted to ${table.rows} rows`] },
  };
}

function describeLayer(goal: LayerMeasure, logs: LayerLogs): DomainStatistics["layers"][number] {
  return {
    popularity: shares(goal.counts).map(rounded),
    adjacentOverlap: rounded(goal.overlap.share),
    hitRate: Array.from(goal.curve.hits.subarray(1), (hits) => rounded(hits / Math.max(1, goal.curve.accesses))),
    base: Array.from(logs.base, rounded),
    recency: Array.from(logs.recency, rounded),
    lead: Array.from(logs.lead, rounded),
    leadRepeat: rounded(logs.leadRepeat),
  };
}

function rounded(value: number): number {
  return Math.round(value * 1e5) / 1e5;
}

/** Lengths of the sequences of a domain, as at most 64 of them at even ranks. */
function sequenceLengths(table: RoutingTable, domain: number): number[] {
  const lengths: number[] = [];
  for (let sequence = 0; sequence + 1 < table.sequenceStarts.length; sequence++) {
    const start = table.sequenceStarts[sequence]!;
    if (start >= table.domainStarts[domain]! && start < table.domainStarts[domain + 1]!)
      lengths.push(table.sequenceStarts[sequence + 1]! - start);
  }
  lengths.sort((a, b) => a - b);
  const kept = Math.min(64, lengths.length);
  return Array.from({ length: kept }, (_, rank) => lengths[Math.floor(((rank + 0.5) * lengths.length) / kept)]!);
}

import { totalVariation } from "../stats/popularity.ts";
import { transitionDistance } from "../stats/transition.ts";
function experts_(t: RoutingTable) { return t.experts; }
function grade(a: RoutingMeasure, b: RoutingMeasure, E: number): string {
  let tv = 0, ov = 0, lr = 0;
  a.domains.forEach((ls, d) => ls.forEach((x, l) => { const y = b.domains[d]![l]!;
    tv = Math.max(tv, totalVariation(shares(x.counts), shares(y.counts))); ov = Math.max(ov, Math.abs(x.overlap.share - y.overlap.share));
    for (let c = 1; c <= E; c++) lr = Math.max(lr, Math.abs(x.curve.hits[c]! / x.curve.accesses - y.curve.hits[c]! / y.curve.accesses)); }));
  const tr = a.transitions.map((x, l) => transitionDistance(x, b.transitions[l]!, E));
  const pr = a.pairs.map((x, l) => transitionDistance(x, b.pairs[l]!, E));
  return `pair ${pr.map((x) => x.toFixed(3)).join(' ')} tv ${tv.toFixed(4)} ov ${ov.toFixed(4)} lru ${lr.toFixed(4)} tr ${tr.map((x) => x.toFixed(3)).join(" ")}`;
}
