import { enoughSamples } from "../core/quantile.ts";
import { batchMeans } from "../core/statistics.ts";
import type { RunResult } from "../sim/result.ts";
import { type LatencyMetric, type LatencyStats, latencyMetrics } from "./forecast.ts";
import { latencySamples, measuredRequests, requestValues } from "./measured-requests.ts";

const nsPerMs = 1e6;

/**
 * Statistics of every latency metric over one class or all. Percentiles are exact per-request ones (type 7), except
 * those of ITL, which come from a histogram (relative error below 2^-8). A percentile with fewer than ten samples
 * beyond it is null, and so is everything of an overloaded deployment: its latencies grow with the length of the run.
 */
export function latencyStats(run: RunResult, requestClass: string | null): Record<LatencyMetric, LatencyStats> {
  const entries = latencyMetrics.map((metric) => [metric, statsOf(run, metric, requestClass)] as const);
  return Object.fromEntries(entries) as Record<LatencyMetric, LatencyStats>;
}

function statsOf(run: RunResult, metric: LatencyMetric, requestClass: string | null): LatencyStats {
  const samples = latencySamples(run, metric, requestClass);
  const n = samples.count;
  const known = n > 0 && run.saturation.verdict !== "overloaded";
  const at = (p: number) => (known && enoughSamples(n, p) ? samples.quantile(p) / nsPerMs : null);
  return {
    n,
    mean: known ? samples.mean() / nsPerMs : null,
    meanHalfWidth: known ? meanHalfWidth(run, metric, requestClass) : null,
    p50: at(0.5),
    p90: at(0.9),
    p95: at(0.95),
    p99: at(0.99),
    p999: at(0.999),
    max: known ? samples.max() / nsPerMs : null,
  };
}

/** Half-width in ms by batch means over requests in order of arrival; null for ITL, whose order is not kept. */
function meanHalfWidth(run: RunResult, metric: LatencyMetric, requestClass: string | null): number | null {
  if (metric === "itl") return null;
  const values = requestValues(run.requests, metric, measuredRequests(run.requests, requestClass));
  const { halfWidth } = batchMeans(values);
  return Number.isFinite(halfWidth) ? halfWidth / nsPerMs : null;
}
