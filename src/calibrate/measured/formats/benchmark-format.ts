import type { JsonView } from "../json-view.ts";
import { type LatencyStatistics, percentileNames } from "../latency-statistics.ts";
import type { BenchmarkMetric, MeasuredBenchmark, StatedDeployment } from "../measured-benchmark.ts";
import type { MeasurementSource } from "../measured-run.ts";

/** A way in which a load generator writes its results. */
export interface BenchmarkFormat {
  readonly description: string;
  /** Whether it only states rates; absent: latencies have to be there. */
  readonly ratesOnly?: true;
  /** Whether a document is of this format, by its keys. */
  detects(document: JsonView): boolean;
  /** All runs of a document; what is wrong is noted at the views. */
  read(document: JsonView, source: MeasurementSource): readonly BenchmarkReading[];
}

/**
 * A benchmark as its reader leaves it, without what the format does not state. `requests`: the view of their number, which
 * has to be there; null in formats that do not count them.
 */
export type BenchmarkReading = Partial<Omit<MeasuredBenchmark, "format" | "requests" | "deployment" | "notes">> & {
  readonly requests: JsonView | null;
  readonly deployment?: Partial<StatedDeployment>;
};

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

/** Statistics from one view each; null where none is stated. Notes percentiles that fall, and zeros. */
export function statisticsFrom(
  viewOf: (name: keyof LatencyStatistics) => JsonView,
  msPerUnit: number,
): LatencyStatistics | null {
  const found: Partial<Record<keyof LatencyStatistics, number>> = {};
  const zeros: JsonView[] = [];
  let below = 0;
  for (const name of ["mean", ...percentileNames] as const) {
    const view = viewOf(name);
    const value = view.number();
    if (value === 0) zeros.push(view);
    if (value === null || value === 0) continue;
    found[name] = value * msPerUnit;
    if (name === "mean") continue;
    if (value < below) view.problem(`at least the percentile before it (${below})`, value);
    below = value;
  }
  const more = zeros.length > 1 ? ` (and ${zeros.length - 1} more statistics of it)` : "";
  zeros[0]?.note(`is 0, as tools write what they did not measure: left out${more}`);
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
