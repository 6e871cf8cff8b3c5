/** Percentiles of a latency metric. */
export const percentileLevels = { p50: 0.5, p90: 0.9, p95: 0.95, p99: 0.99, p999: 0.999 } as const;
export type Percentile = keyof typeof percentileLevels;

/** Statistics of a latency metric with rows in exported tables. */
export const latencyStatistics = ["mean", "p50", "p90", "p95", "p99", "p999", "max"] as const;

/** 95 % interval of a percentile, by order statistics. A high end of null is beyond the maximum. */
export interface PercentileInterval {
  readonly lowMs: number;
  readonly highMs: number | null;
}

/** Statistics of one latency metric, ms; null without samples, and for an overloaded deployment. */
export interface LatencyStats {
  readonly n: number;
  readonly mean: number | null;
  /** Half-width of the 95 % interval of the mean (batch means). */
  readonly meanHalfWidth: number | null;
  readonly p50: number | null;
  readonly p90: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
  readonly p999: number | null;
  readonly max: number | null;
  /** Intervals of the percentiles with fewer than ten samples beyond them. Those must not be read without. */
  readonly intervals: Readonly<Partial<Record<Percentile, PercentileInterval>>>;
}

/** A latency figure that stands for itself; null for a percentile of few samples: only its interval describes it. */
export const settledLatency = (stats: LatencyStats, statistic: "mean" | Percentile): number | null =>
  statistic !== "mean" && stats.intervals[statistic] !== undefined ? null : stats[statistic];
