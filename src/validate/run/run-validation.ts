import type { Forecast } from "../../forecast/forecast.ts";
import type { TimeComponent } from "../../sim/result.ts";
import type { MetricError } from "../serving/validation.ts";

/** Version of the document; raised on every incompatible change. */
export const runValidationSchemaVersion = 3;

export const figureStatistics = ["mean", "p50", "p90", "p95", "p99"] as const;
export type FigureStatistic = (typeof figureStatistics)[number];

export const runMetrics = ["ttft", "tpot", "itl", "e2e"] as const;
export type RunMetric = (typeof runMetrics)[number];

/** One figure of a served workload, measured and forecast; null where one side does not have it. */
export interface ComparedFigure {
  readonly metric: RunMetric | "outputThroughput" | "requestThroughput" | "duration";
  /** null for figures of the whole run. */
  readonly statistic: FigureStatistic | null;
  readonly unit: "ms" | "s" | "tok/s" | "req/s";
  readonly measured: number | null;
  readonly predicted: number | null;
  /** 100 (predicted / measured - 1). */
  readonly errorPercent: number | null;
}

/** One request, measured and forecast, ms; TPOT is null for a single output token. */
export interface RequestPair {
  /** In order of arrival. */
  readonly index: number;
  readonly promptTokens: number;
  readonly outputTokens: number;
  readonly measured: RequestTimes;
  readonly predicted: RequestTimes;
}

export interface RequestTimes {
  readonly ttftMs: number;
  readonly tpotMs: number | null;
  readonly e2eMs: number;
}

/** A served workload against its forecast: the document of `moecast validate --run` and `--against`. */
export interface RunValidation {
  readonly schemaVersion: typeof runValidationSchemaVersion;
  readonly kind: "run-validation";
  readonly moecastVersion: string;
  readonly inputs: Forecast["inputs"];
  /** The requests of the forecast: the measured ones, the scenario's own traffic, or traffic as the measurement states it. */
  readonly workload: "replayed" | "scenario" | "stated";
  /** How the measurement was read, and what it does not tell, in words. */
  readonly notes: readonly string[];
  readonly requests: {
    /** null where the measurement does not say. */
    readonly measured: number | null;
    /** Requests that completed in the measurement and in the forecast; statistics of a replay are over these. */
    readonly compared: number;
  };
  readonly figures: readonly ComparedFigure[];
  /** Errors request by request; null without a replay. */
  readonly perRequest: Readonly<Record<Exclude<RunMetric, "itl">, MetricError>> | null;
  /** Empty without a replay. */
  readonly pairs: readonly RequestPair[];
  /** Mean time of a step of the forecast by component, ms: where an error may come from. */
  readonly stepMs: Readonly<Record<TimeComponent, number>>;
  /** The forecast that was compared. */
  readonly forecast: Forecast;
}

/** Several runs of one file against their forecasts. */
export interface RunsValidation {
  readonly schemaVersion: typeof runValidationSchemaVersion;
  readonly kind: "runs-validation";
  readonly runs: readonly NumberedRun[];
  /** Runs under another load than the scenario's, by number, and in what they differ. */
  readonly skipped: readonly { readonly run: number; readonly reason: string }[];
}

/** A run by its place in the file, counted from 1. */
export interface NumberedRun {
  readonly run: number;
  readonly validation: RunValidation;
}
