import { countedRequests, requestValue } from "../../sim/outcome/request-latencies.ts";
import type { RequestRows } from "../../sim/result.ts";
import type { PathMetric } from "./path-metrics.ts";

/**
 * The request at percentile p (0 < p <= 1) of a latency: of the counted requests in order of the latency, and of equal ones in order of
 * arrival, the first that at least the share p of them does not exceed (nearest rank). It is a request that exists; the percentile
 * in a forecast lies between two. null where no request has the latency.
 */
export function requestAt(rows: RequestRows, metric: PathMetric, p: number): number | null {
  const values = [...countedRequests(rows, null)]
    .map((request) => ({ request, ns: requestValue(rows, metric, request) }))
    .filter(({ ns }) => !Number.isNaN(ns))
    .sort((a, b) => a.ns - b.ns || a.request - b.request);
  return values[Math.max(0, Math.ceil(p * values.length - 1e-9) - 1)]?.request ?? null;
}
