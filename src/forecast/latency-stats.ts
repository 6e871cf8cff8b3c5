import { batchMeans } from "../core/statistics.ts";
import {
  type LatencyStats,
  type Percentile,
  type PercentileInterval,
  percentileLevels,
} from "../metrics/latency-figures.ts";
import type { LoadVerdict } from "../sim/outcome/load/load-verdict.ts";
import {
  countedRequests,
  type LatencyMetric,
  type LatencySamples,
  latencyMetrics,
  latencySamples,
  requestValues,
} from "../sim/outcome/request-latencies.ts";
import type { RunResult } from "../sim/result.ts";
import { percentileOf } from "./percentile-of.ts";

const nsPerMs = 1e6;

/**
 * Statistics of every latency metric over one class or all. Percentiles are exact per-request ones (type 7), except
 * those of ITL, which come from a histogram (relative error below 2^-8). A percentile with fewer than ten samples
 * beyond it comes with its interval. Everything of an overloaded deployment is null: its latencies grow with the length of
 * the run.
 */
export function latencyStats(
  run: RunResult,
  load: Pick<LoadVerdict, "verdict">,
  requestClass: string | null,
): Record<LatencyMetric, LatencyStats> {
  const entries = latencyMetrics.map((metric) => {
    const samples = latencySamples(run, metric, requestClass);
    const known = samples.count > 0 && load.verdict !== "overloaded";
    return [
      metric,
      known ? statsOf(samples, meanHalfWidth(run, metric, requestClass)) : noStats(samples.count),
    ] as const;
  });
  return Object.fromEntries(entries) as Record<LatencyMetric, LatencyStats>;
}

function statsOf(samples: LatencySamples, halfWidth: number | null): LatencyStats {
  const intervals: Partial<Record<Percentile, PercentileInterval>> = {};
  const at = (name: Percentile) => {
    const { value, interval } = percentileOf(samples, percentileLevels[name]);
    if (interval !== null)
      intervals[name] = {
        lowMs: interval.low / nsPerMs,
        highMs: interval.high === null ? null : interval.high / nsPerMs,
      };
    return value / nsPerMs;
  };
  return {
    n: samples.count,
    mean: samples.mean() / nsPerMs,
    meanHalfWidth: halfWidth,
    p50: at("p50"),
    p90: at("p90"),
    p95: at("p95"),
    p99: at("p99"),
    p999: at("p999"),
    max: samples.max() / nsPerMs,
    intervals,
  };
}

const noStats = (n: number): LatencyStats => ({
  n,
  mean: null,
  meanHalfWidth: null,
  p50: null,
  p90: null,
  p95: null,
  p99: null,
  p999: null,
  max: null,
  intervals: {},
});

/** Half-width in ms by batch means over requests in order of arrival; null for ITL, whose order is not kept. */
function meanHalfWidth(run: RunResult, metric: LatencyMetric, requestClass: string | null): number | null {
  if (metric === "itl") return null;
  const values = requestValues(run.requests, metric, countedRequests(run.requests, requestClass));
  const { halfWidth } = batchMeans(values);
  return Number.isFinite(halfWidth) ? halfWidth / nsPerMs : null;
}
