import type { Figures } from "../metrics/figures.ts";
import type { MetricUnit } from "../metrics/metric.ts";
import type { InputRow } from "../resolve/input-row.ts";
import type { MemoryMap } from "../sim/memory/memory.ts";
import type { LedgerEntry, ResourceUse, TimeComponent } from "../sim/result.ts";
import type { BandBasis } from "./bands/bands.ts";
import type { LatencyBands } from "./bands/error-band-table.ts";
import type { SetupKey } from "./bands/nearest-setup.ts";

/** Version of the result document; raised on every incompatible change. */
export const forecastSchemaVersion = 3;

/** Verdict of one SLO. */
export interface SloVerdict {
  /** Metric with its tag filter as written, such as `ttft{class:chat}`. */
  readonly metric: string;
  readonly expression: string;
  readonly level: "error" | "warn";
  readonly passed: boolean;
  /** What is judged, in the unit of the expression; null if there was nothing to judge. */
  readonly value: number | null;
  readonly valueText: string;
  /** Where the percentile lies, in the unit of the expression, if it has few samples; null otherwise. */
  readonly interval: { readonly low: number; readonly high: number | null } | null;
  /** (limit - value) / limit for upper limits, (value - limit) / limit for lower ones; null if not judged. */
  readonly margin: number | null;
  readonly samples: number;
  /**
   * Why a verdict is what it is, where it is not just the comparison: no samples, an interval that reaches over the limit,
   * an overloaded deployment, a run too short to tell.
   */
  readonly reason: string | null;
}

interface RangeMs {
  readonly lowMs: number;
  readonly highMs: number;
}
export interface Range {
  readonly low: number;
  readonly high: number;
}

/** A run of the deployment with every duration times `factor`, an end of the band of TPOT; arrivals stay. */
export interface BandEnd {
  readonly factor: number;
  readonly verdict: Figures["load"]["verdict"];
  readonly outputTokensPerSecond: number;
  readonly usdPerMillionOutputTokens: number | null;
  /** 0 where it is overloaded: latencies grow with the run; null without limits per request. */
  readonly goodput: number | null;
  /** Completions per second where it is overloaded; null where it is not. */
  readonly sustainedRequestsPerSecond: number | null;
}

/** Error band of a forecast: where the measured value of a deployment lies with the probability `nominal`. */
export interface ForecastBands {
  readonly nominal: number;
  readonly basis: BandBasis;
  /** What was not measured anywhere near, in words; null where something near was, or points of the deployment were given. */
  readonly unvalidated: string | null;
  /**
   * The validated setup with the deployment nearest to this one: how many steps away, and what differs in words; null
   * where the forecast is unvalidated.
   */
  readonly nearest: (SetupKey & { readonly distance: number; readonly differs: readonly string[] }) | null;
  /** The bands as factors on the forecast, and those that one measured point of the deployment would leave. */
  readonly factors: LatencyBands;
  readonly withPoint: LatencyBands;
  /**
   * null where there is nothing to put a band around: no samples, overload, a TTFT that is queueing. Rate and cost of a closed
   * loop follow TPOT; those of arrivals, and goodput, are read off the runs of `ends`, and null without these.
   */
  readonly metrics: {
    /** Of the mean. */
    readonly tpot: RangeMs | null;
    /** Of the median. */
    readonly ttft: RangeMs | null;
    readonly outputTokensPerSecond: Range | null;
    readonly usdPerMillionOutputTokens: Range | null;
    readonly goodput: Range | null;
  };
  /** null where no runs at the ends of the band were asked for. */
  readonly ends: { readonly fast: BandEnd; readonly slow: BandEnd } | null;
}

export type AdviceUnit = "ms" | "share" | "number";

/** A metric in a short run without a change, and in one with it. */
export interface AdviceFigure {
  /** Such as `TPOT p50`. */
  readonly metric: string;
  readonly unit: AdviceUnit;
  readonly before: number;
  readonly after: number;
}

/** A change of the scenario that helped when it was tried. */
export interface Advice extends AdviceFigure {
  readonly text: string;
  /** As given to `--set`. */
  readonly set: readonly string[];
  /** What gets worse by it, by more than a twentieth. */
  readonly costs: readonly AdviceFigure[];
}

/** Changes that were tried against the bottleneck. */
export interface TriedAdvice {
  /** What they were meant to improve. */
  readonly metric: string;
  /** Requests of each trial; 0 where no change applies. */
  readonly requests: number;
  readonly tried: number;
  /** Those that helped, the most helpful first. */
  readonly helps: readonly Advice[];
}

/** A scenario's forecast: the run, judged and documented. `result.json` is this document. */
export interface Forecast extends Figures {
  readonly schemaVersion: typeof forecastSchemaVersion;
  readonly kind: "forecast";
  readonly moecastVersion: string;
  readonly scenario: { readonly name: string; readonly description: string; readonly file: string };
  readonly seed: number;
  readonly inputs: readonly InputRow[];
  readonly deployment: {
    readonly model: string;
    readonly device: string;
    readonly devices: number;
    readonly replicas: number;
    readonly mapping: Readonly<Record<"tp" | "cp" | "dp" | "pp" | "ep" | "etp" | "edp", number>>;
    readonly engine: string;
    readonly formats: Readonly<Record<string, string>>;
    readonly placement: string;
    readonly offload: string | null;
  };
  /** null in results of releases without bands. */
  readonly bands: ForecastBands | null;
  readonly memory: MemoryMap;
  /** Share of step time per component, and the largest one in words. */
  readonly timeShare: Readonly<Record<TimeComponent, number>>;
  /** `share` is of step time; of a front end, the part of the time it is busy. */
  readonly bottleneck: {
    readonly component: TimeComponent | "frontEnd";
    readonly share: number;
    /** null where nothing was tried: not asked for, interrupted, or a run too long to try anything. */
    readonly advice: TriedAdvice | null;
  };
  readonly resources: readonly (ResourceUse & { readonly utilisation: number })[];
  readonly series: {
    readonly intervalS: number;
    readonly waiting: readonly number[];
    readonly running: readonly number[];
    readonly kvUse: readonly number[];
    readonly outputTokensPerSecond: readonly number[];
  };
  readonly slos: readonly SloVerdict[];
  readonly passed: boolean;
  readonly ledger: readonly LedgerEntry[];
  readonly laws: Readonly<Record<string, number>>;
  /** Of further seeds; absent where the scenario ran once. */
  readonly repetitions?: Repetitions;
  /** Metric by metric against an earlier forecast, and which; null without one. */
  readonly baseline: readonly BaselineDelta[] | null;
  readonly baselineRun: BaselineRun | null;
}

/**
 * The runs of one scenario with several seeds, the first that of the forecast: what comparisons pair, and what became of each. Lists
 * are in the order of the seeds.
 */
export interface Repetitions {
  readonly seeds: readonly number[];
  readonly load: readonly Figures["load"]["verdict"][];
  /** Values of the compared metrics by name; null where a run has none. Metrics that no run has are left out. */
  readonly metrics: Readonly<Record<string, readonly (number | null)[]>>;
  /** Whether each SLO was met, in the order of the SLOs. The verdict of the forecast is passed where all are met. */
  readonly slos: readonly (readonly boolean[])[];
}

/**
 * One metric against a baseline. `worseBy` is the difference in the unit, positive when worse, and `regression` the same
 * as a share of the baseline. Both are null where the metric is missing now, as `after` is; `regression` from zero too.
 */
export interface BaselineDelta {
  readonly metric: string;
  readonly unit: MetricUnit;
  readonly before: number;
  readonly after: number | null;
  readonly worseBy: number | null;
  readonly regression: number | null;
  /** How much worse it may be, as a share of the baseline. */
  readonly limit: number;
  /** Half-width of the 99 % interval of the difference, in the unit; null where it is not known. */
  readonly halfWidth: number | null;
  /** Whether figures and interval are of all shared seeds instead of the first run; absent where they are not. */
  readonly overSeeds?: true;
  readonly failed: boolean;
}

/** The run that a forecast is compared with. */
export interface BaselineRun {
  readonly scenario: string;
  readonly moecastVersion: string;
  readonly seed: number;
  /** What the two runs drew differently: seed, requests, routing; empty if they share every draw. */
  readonly otherDraws: readonly string[];
}
