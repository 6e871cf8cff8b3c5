import type { LatencyStats, percentileLevels } from "./forecast.ts";

/** The statistics of a latency that can be compared with another run's. */
type Statistic = "mean" | keyof typeof percentileLevels;

/** A latency figure that stands for itself; null for a percentile of few samples, which only its interval describes. */
export const settledLatency = (stats: LatencyStats, statistic: Statistic): number | null =>
  statistic !== "mean" && stats.intervals[statistic] !== undefined ? null : stats[statistic];
