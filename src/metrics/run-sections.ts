import type { RequestMetric } from "../sim/outcome/request-latencies.ts";

export const sectionMetrics = ["ttft", "tpot", "e2e", "queue"] as const satisfies readonly RequestMetric[];
export const sectionParts = ["mean", "p50", "p90", "p99"] as const;

/**
 * Figures of equal parts of a run, in order. Intervals of differences between runs are made of them. Null where there
 * are fewer requests than sections. Latencies in ms.
 */
export interface Sections {
  readonly latency: Readonly<
    Record<(typeof sectionMetrics)[number], Readonly<Record<(typeof sectionParts)[number], readonly number[]>> | null>
  >;
  readonly goodput: readonly number[] | null;
  readonly requestsPerSecond: readonly number[] | null;
  readonly outputTokensPerSecond: readonly number[] | null;
}
