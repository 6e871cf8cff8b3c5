import type { JsonView } from "../json-view.ts";
import { type LatencyStatistics, percentileNames } from "../latency-statistics.ts";
import type { BenchmarkMetric, MeasuredBenchmark } from "../measured-benchmark.ts";
import type { MeasurementSource } from "../measured-run.ts";

/** A way in which a load generator writes its results. */
export interface BenchmarkFormat {
  readonly description: string;
  /** Whether a document is of this format, by its keys. */
  detects(document: JsonView): boolean;
  /** All runs of a document; what is wrong is noted at the views. */
  read(document: JsonView, source: MeasurementSource): readonly BenchmarkReading[];
}

/** A benchmark as its reader leaves it: the number of requests may be missing. */
export type BenchmarkReading = Omit<MeasuredBenchmark, "format" | "requests"> & { readonly requests: JsonView };

/**
 * Statistics in an object with `mean` or `avg`, `p50` or `median`, and `p90`, `p95`, `p99`, directly or below
 * `percentiles`. A zero is what tools write when nothing was measured, and is left out.
 */
export function statisticsAt(view: JsonView, msPerUnit: number): LatencyStatistics | null {
  if (!view.stated) return null;
  const nested = view.get("percentiles");
  const stated = { mean: view.either("mean", "avg"), p50: view.either("p50", "median") };
  return statisticsFrom((name) => {
    const direct = name === "mean" || name === "p50" ? stated[name] : view.get(name);
    return direct.stated || name === "mean" ? direct : nested.get(name);
  }, msPerUnit);
}

/** Statistics from one view each; null where none is stated. Notes percentiles that fall. */
export function statisticsFrom(
  viewOf: (name: keyof LatencyStatistics) => JsonView,
  msPerUnit: number,
): LatencyStatistics | null {
  const found: Partial<Record<keyof LatencyStatistics, number>> = {};
  let below = 0;
  for (const name of ["mean", ...percentileNames] as const) {
    const view = viewOf(name);
    const value = view.number();
    if (value === null || value === 0) continue;
    found[name] = value * msPerUnit;
    if (name === "mean") continue;
    if (value < below) view.problem(`at least the percentile before it (${below})`, value);
    below = value;
  }
  return Object.keys(found).length === 0 ? null : found;
}

/** Only the metrics that have statistics. */
export function statedMetrics(
  all: Readonly<Record<BenchmarkMetric, LatencyStatistics | null>>,
): MeasuredBenchmark["metrics"] {
  const stated = Object.entries(all).filter(([, statistics]) => statistics !== null);
  return Object.fromEntries(stated) as MeasuredBenchmark["metrics"];
}

/** Mean per request of a total; null where either is not stated. */
export function perRequestMean(total: JsonView, requests: JsonView): number | null {
  const sum = total.number();
  const count = requests.number();
  return sum === null || count === null || count === 0 ? null : sum / count;
}
