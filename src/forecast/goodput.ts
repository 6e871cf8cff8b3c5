import type { SloSection } from "../scenario/slo-section.ts";
import { measuredRequests, requestValue } from "../sim/outcome/request-latencies.ts";
import type { RequestRows, RunResult } from "../sim/result.ts";

/** Requests judged for goodput, and how many of them meet every limit. */
export interface Goodput {
  readonly samples: number;
  readonly good: number;
}

/**
 * Completed requests after the warm-up that meet every per-request limit, as vLLM's request goodput counts them. A
 * request of one output token has no TPOT and meets every TPOT limit. Null without limits.
 */
export function goodputOf(
  run: RunResult,
  limits: SloSection["perRequest"],
  requestClass: string | null,
): Goodput | null {
  if (limits === null) return null;
  const requests = measuredRequests(run.requests, requestClass);
  return {
    samples: requests.length,
    good: requests.filter((request) => meetsLimits(run.requests, limits, request)).length,
  };
}

/** Whether a completed request meets every limit. */
export function meetsLimits(rows: RequestRows, limits: SloSection["perRequest"], request: number): boolean {
  return (["ttft", "tpot", "e2e"] as const).every((metric) => {
    const limitNs = limits?.[metric];
    return limitNs === undefined || !(requestValue(rows, metric, request) > limitNs);
  });
}
