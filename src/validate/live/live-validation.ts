import type { LiveProfile } from "../../calibrate/live/live-profile.ts";
import type { CallNoise, LiveShape } from "../../calibrate/measured/live-measurements.ts";
import { enoughSamples, quantiles } from "../../core/quantile.ts";
import { mean, sum } from "../../core/statistics.ts";
import { version } from "../../core/version.ts";
import type { SentCounts } from "./live-prefetch.ts";
import type { LivePrediction } from "./predict-live.ts";

/** Version of the document; raised on every incompatible change. */
export const liveValidationSchemaVersion = 2;

/** What a run of real expert layers gave; times in ns. */
export interface MeasuredLive {
  readonly stepNs: Float64Array;
  readonly layerNs: Float64Array;
  readonly hits: number;
  readonly misses: number;
  readonly fetchNs: number;
  /** Absent where nothing is sent ahead. */
  readonly sent?: SentCounts;
}

/** A run with experts sent ahead. Hits count experts that were on their way, too: how far they were is a matter of time. */
export interface MeasuredAhead extends MeasuredLive {
  readonly sent: SentCounts;
}

/** Statistics of step times, ms; p99 is null with fewer than ten steps beyond it. */
export interface StepTimes {
  readonly mean: number;
  readonly p50: number;
  readonly p90: number | null;
  readonly p99: number | null;
}

/** One side of the comparison. */
export interface LiveFigures {
  readonly hits: number;
  readonly misses: number;
  readonly stepMs: StepTimes;
  readonly tokensPerSecond: number;
}

/** A run, and its forecast from what was measured beside it. */
export interface LiveRun {
  readonly measured: LiveFigures & {
    /** Mean time of each layer, ms. */
    readonly layerMs: readonly number[];
    /** Upload of missing experts, share of the run; what their first use costs is not in it. */
    readonly fetchShare: number;
  };
  /** With the scatter of the machine's own times, as the calibration saw it. */
  readonly predicted: LiveFigures & { readonly fetchShare: number };
  /** The simulated steps as they are: every time its median. */
  readonly predictedQuiet: StepTimes;
  readonly calibration: {
    readonly expertNs: readonly { readonly rows: number; readonly ns: number; readonly spread: number }[];
    readonly fetchNs: number;
    readonly fetchMeanError: number;
  };
  readonly hitsEqual: boolean;
  /** Beside the same without; null where nothing is sent ahead. */
  readonly prefetch: LiveGain | null;
  /** 100 (predicted / measured - 1). */
  readonly errorPercent: { readonly [Statistic in keyof StepTimes]: number | null };
}

/** What sending experts ahead gained, measured and simulated. */
export interface LiveGain {
  readonly measured: SentCounts & StepGain;
  readonly predicted: SentCounts & StepGain;
  /** How far a thread's computing and the other one's uploads overlapped in the calibration; the forecast slows both by it. */
  readonly threadOverlap: number;
  /** Whether all counts but that of late ones, which depends on time, are equal. */
  readonly countsEqual: boolean;
}

/** Step times without sending ahead, ms, and 100 (those with it / those without - 1). */
export interface StepGain {
  readonly onDemandMs: { readonly mean: number; readonly p50: number };
  readonly changePercent: { readonly mean: number; readonly p50: number };
}

/** Result of `moecast validate --live`: the document printed by `--json`. */
export interface LiveValidation {
  readonly schemaVersion: typeof liveValidationSchemaVersion;
  readonly kind: "live-validation";
  readonly moecastVersion: string;
  readonly inputs: readonly { readonly role: string; readonly name: string; readonly sha256: string }[];
  readonly setting: LiveSettingSummary;
  readonly date: string;
  readonly device: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly runs: readonly LiveRun[];
  /** Of all runs; where experts are sent ahead, whether all counts of them are equal, too. */
  readonly hitsEqual: boolean;
  /** Of each statistic the largest error over the runs, signed. */
  readonly worstErrorPercent: LiveRun["errorPercent"];
}

export interface LiveSettingSummary {
  readonly backend: string;
  readonly layers: number;
  readonly experts: number;
  readonly topK: number;
  readonly shape: LiveShape;
  readonly cache: string;
  readonly slots: number;
  readonly from: "host" | "disk";
  readonly batch: number;
  /** Who sends experts ahead, and the rows that it learned from; null: nobody. */
  readonly prefetch: { readonly kind: string; readonly trainingRows: number; readonly cut: boolean } | null;
  readonly steps: number;
  /** Sequences of the trace that were too short to be run. */
  readonly shortSequences: number;
  /** Steps at the start that the times leave out; hits count all. */
  readonly warmUpSteps: number;
}

/** A run with the profile that was fitted to measurements beside it, and the forecast from that. */
export interface LivePair {
  readonly profile: LiveProfile;
  readonly prediction: LivePrediction;
  readonly measured: MeasuredLive;
  /** The same with experts fetched on demand alone, where the run sends some ahead. */
  readonly onDemand?: {
    readonly prediction: LivePrediction;
    readonly measured: MeasuredLive;
    readonly threadOverlap: number;
  };
}

/** Holds runs against their forecasts. There is at least one. */
export function compareLive(
  pairs: readonly LivePair[],
  setting: LiveSettingSummary,
  inputs: LiveValidation["inputs"],
): LiveValidation {
  const runs = pairs.map((pair) => compareRun(pair, setting));
  const worst = (statistic: keyof StepTimes) =>
    runs
      .map((run) => run.errorPercent[statistic])
      .reduce((a, b) => (a === null || b === null ? null : Math.abs(a) >= Math.abs(b) ? a : b));
  const { backend, date } = pairs[0]!.profile.measurements;
  return {
    schemaVersion: liveValidationSchemaVersion,
    kind: "live-validation",
    moecastVersion: version,
    inputs,
    setting,
    date,
    device: backend.device,
    versions: backend.versions,
    runs,
    hitsEqual: runs.every(({ hitsEqual, prefetch }) => hitsEqual && prefetch?.countsEqual !== false),
    worstErrorPercent: { mean: worst("mean"), p50: worst("p50"), p90: worst("p90"), p99: worst("p99") },
  };
}

function compareRun(pair: LivePair, setting: LiveSettingSummary): LiveRun {
  const { profile, prediction, measured } = pair;
  const { batch, warmUpSteps } = setting;
  const { measurements, links } = profile;
  const quiet = prediction.stepNs.subarray(warmUpSteps);
  const predicted = figures(prediction, scattered(quiet, measurements.noise), quiet.length, batch);
  const steps = measured.stepNs.subarray(warmUpSteps);
  const own = figures(measured, steps, steps.length, batch);
  const error = (statistic: keyof StepTimes) => errorPercent(predicted.stepMs[statistic], own.stepMs[statistic]);
  return {
    measured: {
      ...own,
      layerMs: Array.from(measured.layerNs, (ns) => ns / measured.stepNs.length / 1e6),
      fetchShare: measured.fetchNs / sum(measured.stepNs),
    },
    predicted: { ...predicted, fetchShare: prediction.fetchNs / sum(prediction.stepNs) },
    predictedQuiet: stepTimes(quiet, quiet.length),
    calibration: {
      expertNs: measurements.experts.map(({ rows, ns, spread }) => ({ rows, ns, spread })),
      fetchNs: measurements.fetches[0]?.ns ?? 0,
      fetchMeanError: links.fetch.meanError,
    },
    hitsEqual: hitsEqual(pair) && (pair.onDemand === undefined || hitsEqual(pair.onDemand)),
    prefetch: gainOf(pair, warmUpSteps),
    errorPercent: { mean: error("mean"), p50: error("p50"), p90: error("p90"), p99: error("p99") },
  };
}

const hitsEqual = ({ prediction, measured }: Pick<LivePair, "prediction" | "measured">): boolean =>
  measured.hits === prediction.hits && measured.misses === prediction.misses;

function gainOf({ prediction, measured, onDemand }: LivePair, warmUpSteps: number): LiveGain | null {
  if (onDemand === undefined || prediction.sent === null || measured.sent === undefined) return null;
  const side = (sent: SentCounts, ahead: Float64Array, without: Float64Array): LiveGain["measured"] => ({
    ...sent,
    ...stepGain(ahead.subarray(warmUpSteps), without.subarray(warmUpSteps)),
  });
  const { late: _measuredLate, ...counted } = measured.sent;
  const { sent } = prediction;
  return {
    measured: side(measured.sent, measured.stepNs, onDemand.measured.stepNs),
    predicted: side(sent, prediction.stepNs, onDemand.prediction.stepNs),
    threadOverlap: onDemand.threadOverlap,
    countsEqual: Object.entries(counted).every(([name, count]) => sent[name as keyof SentCounts] === count),
  };
}

function stepGain(ahead: Float64Array, without: Float64Array): StepGain {
  const [own, other] = [stepTimes(ahead, ahead.length), stepTimes(without, without.length)];
  const change = (statistic: "mean" | "p50") => 100 * (own[statistic] / other[statistic] - 1);
  return {
    onDemandMs: { mean: other.mean, p50: other.p50 },
    changePercent: { mean: change("mean"), p50: change("p50") },
  };
}

/** Figures of a side whose times are `values`, which stand for `count` steps. */
function figures(
  { hits, misses }: Pick<MeasuredLive, "hits" | "misses">,
  values: Float64Array,
  count: number,
  batch: number,
): LiveFigures {
  const stepMs = stepTimes(values, count);
  return { hits, misses, stepMs, tokensPerSecond: (1000 * batch) / stepMs.mean };
}

function stepTimes(values: Float64Array, count: number): StepTimes {
  const steps = values.map((ns) => ns / 1e6);
  const [p50 = Number.NaN, p90 = Number.NaN, p99 = Number.NaN] = quantiles(steps, [0.5, 0.9, 0.99]);
  const enough = (p: number, value: number) => (enoughSamples(count, p) ? value : null);
  return { mean: mean(steps), p50, p90: enough(0.9, p90), p99: enough(0.99, p99) };
}

/**
 * Every step with every ratio of the scatter: the distribution of a step's time when it scatters as work of about its length
 * did in the calibration. Without a scatter, the steps themselves.
 */
function scattered(stepNs: Float64Array, noise: readonly CallNoise[]): Float64Array {
  const [typical = 1] = quantiles(stepNs, [0.5]);
  const distance = ({ ns }: CallNoise) => Math.abs(Math.log(ns / typical));
  const ratios = [...noise].filter(({ ns }) => ns > 0).sort((a, b) => distance(a) - distance(b))[0]?.ratios ?? [1];
  const out = new Float64Array(stepNs.length * ratios.length);
  for (const [i, ratio] of ratios.entries())
    for (let s = 0; s < stepNs.length; s++) out[i * stepNs.length + s] = stepNs[s]! * ratio;
  return out;
}

const errorPercent = (predicted: number | null, measured: number | null): number | null =>
  predicted === null || measured === null ? null : 100 * (predicted / measured - 1);
