import { enoughSamples, quantiles } from "../../core/quantile.ts";
import { mean } from "../../core/statistics.ts";
import { version } from "../../core/version.ts";
import type { LiveProfile } from "../calibration/live/live-profile.ts";
import type { LiveShape } from "../measured/live-measurements.ts";
import type { LivePrediction } from "./predict-live.ts";

/** Version of the document; raised on every incompatible change. */
export const liveValidationSchemaVersion = 1;

/** What a run of real expert layers gave; times in ns. */
export interface MeasuredLive {
  readonly stepNs: Float64Array;
  readonly layerNs: Float64Array;
  readonly hits: number;
  readonly misses: number;
  readonly fetchNs: number;
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

export interface LiveRunFigures extends LiveFigures {
  /** Mean time of each layer, ms. */
  readonly layerMs: readonly number[];
  /** Upload of missing experts, share of the run; what their first use costs is not in it. */
  readonly fetchShare: number;
  readonly hitsEqual: boolean;
  /** 100 (predicted / measured - 1). */
  readonly errorPercent: { readonly [Statistic in keyof StepTimes]: number | null };
}

/** Result of `moecast validate --live`: the document printed by `--json`. */
export interface LiveValidation {
  readonly schemaVersion: typeof liveValidationSchemaVersion;
  readonly kind: "live-validation";
  readonly engineVersion: string;
  readonly inputs: readonly { readonly role: string; readonly name: string; readonly sha256: string }[];
  readonly setting: LiveSettingSummary;
  readonly calibration: {
    readonly date: string;
    readonly device: string;
    readonly versions: Readonly<Record<string, string>>;
    readonly expertNs: readonly { readonly rows: number; readonly ns: number; readonly spread: number }[];
    readonly fetchMeanError: number;
  };
  readonly predicted: LiveFigures & { readonly fetchShare: number };
  readonly runs: readonly LiveRunFigures[];
  readonly hitsEqual: boolean;
  /** Of each statistic the largest error over the runs, signed. */
  readonly worstErrorPercent: LiveRunFigures["errorPercent"];
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
  readonly steps: number;
  /** Steps at the start that the times leave out; hits count all. */
  readonly warmUpSteps: number;
}

/** Holds the measured runs against the prediction. */
export function compareLive(
  profile: LiveProfile,
  prediction: LivePrediction,
  measured: readonly MeasuredLive[],
  setting: LiveSettingSummary,
  inputs: LiveValidation["inputs"],
): LiveValidation {
  const { batch, warmUpSteps } = setting;
  const predicted = {
    ...figures(prediction, batch, warmUpSteps),
    fetchShare: prediction.fetchNs / total(prediction.stepNs),
  };
  const runs = measured.map((run): LiveRunFigures => {
    const own = figures(run, batch, warmUpSteps);
    const error = (statistic: keyof StepTimes) => errorPercent(predicted.stepMs[statistic], own.stepMs[statistic]);
    return {
      ...own,
      layerMs: Array.from(run.layerNs, (ns) => ns / run.stepNs.length / 1e6),
      fetchShare: run.fetchNs / total(run.stepNs),
      hitsEqual: run.hits === prediction.hits && run.misses === prediction.misses,
      errorPercent: { mean: error("mean"), p50: error("p50"), p90: error("p90"), p99: error("p99") },
    };
  });
  const worst = (statistic: keyof StepTimes) =>
    runs
      .map((run) => run.errorPercent[statistic])
      .reduce<number | null>((a, b) => (a === null || b === null || Math.abs(a) >= Math.abs(b) ? a : b), 0);
  const { measurements, links } = profile;
  return {
    schemaVersion: liveValidationSchemaVersion,
    kind: "live-validation",
    engineVersion: version,
    inputs,
    setting,
    calibration: {
      date: measurements.date,
      device: measurements.backend.device,
      versions: measurements.backend.versions,
      expertNs: measurements.experts.map(({ rows, ns, spread }) => ({ rows, ns, spread })),
      fetchMeanError: links.fetch.meanError,
    },
    predicted,
    runs,
    hitsEqual: runs.every(({ hitsEqual }) => hitsEqual),
    worstErrorPercent: { mean: worst("mean"), p50: worst("p50"), p90: worst("p90"), p99: worst("p99") },
  };
}

function figures(
  run: Pick<MeasuredLive, "stepNs" | "hits" | "misses">,
  batch: number,
  warmUpSteps: number,
): LiveFigures {
  const steps = run.stepNs.subarray(warmUpSteps).map((ns) => ns / 1e6);
  const percentile = (p: number) => (enoughSamples(steps.length, p) ? (quantiles(steps, [p])[0] ?? null) : null);
  const stepMean = mean(steps);
  return {
    hits: run.hits,
    misses: run.misses,
    stepMs: {
      mean: stepMean,
      p50: quantiles(steps, [0.5])[0] ?? Number.NaN,
      p90: percentile(0.9),
      p99: percentile(0.99),
    },
    tokensPerSecond: (1000 * batch) / stepMean,
  };
}

const errorPercent = (predicted: number | null, measured: number | null): number | null =>
  predicted === null || measured === null ? null : 100 * (predicted / measured - 1);

const total = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0);
