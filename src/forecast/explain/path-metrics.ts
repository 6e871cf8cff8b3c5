/** Latencies whose time can be followed through a run. */
export const pathMetrics = ["ttft", "tpot", "e2e"] as const;
export type PathMetric = (typeof pathMetrics)[number];
