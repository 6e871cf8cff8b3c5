import { countedRequests, type RequestMetric, requestValue } from "../sim/outcome/request-latencies.ts";
import type { RequestRows, RunResult } from "../sim/result.ts";

/** Latencies that can have a limit per request. */
export const limitedLatencies = ["ttft", "tpot", "e2e"] as const satisfies readonly RequestMetric[];

/** Limits that every request has to meet to count as goodput, ns. */
export type RequestLimits = { readonly [Metric in (typeof limitedLatencies)[number]]?: number };

/** Requests judged for goodput, and how many of them meet every limit. */
export interface Goodput {
  readonly samples: number;
  readonly good: number;
}

/**
 * Completed requests after the warm-up, and those of them that meet every per-request limit, as vLLM's request goodput
 * counts. A request of one output token has no TPOT and meets every TPOT limit. Null without limits.
 */
export function goodputOf(run: RunResult, limits: RequestLimits | null, requestClass: string | null): Goodput | null {
  if (limits === null) return null;
  const requests = countedRequests(run.requests, requestClass);
  return {
    samples: requests.length,
    good: requests.filter((request) => meetsLimits(run.requests, limits, request)).length,
  };
}

/** Whether a completed request meets every limit. */
export function meetsLimits(rows: RequestRows, limits: RequestLimits | null, request: number): boolean {
  return limitedLatencies.every((metric) => {
    const limitNs = limits?.[metric];
    return limitNs === undefined || !(requestValue(rows, metric, request) > limitNs);
  });
}
