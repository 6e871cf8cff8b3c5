import type { LatencyStats, Percentile } from "../../../metrics/latency-figures.ts";
import { milliseconds } from "../../labels.ts";

/** A percentile, or where it lies if few samples stand behind it: `at least 2.25 s`, `1 s to 2 s`. */
export function percentileText(stats: LatencyStats, percentile: Percentile): string {
  const interval = stats.intervals[percentile];
  if (interval === undefined) return milliseconds(stats[percentile]);
  const low = milliseconds(interval.lowMs);
  return interval.highMs === null ? `at least ${low}` : `${low} to ${milliseconds(interval.highMs)}`;
}
