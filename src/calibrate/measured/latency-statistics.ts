import { quantile } from "../../core/quantile.ts";
import { mean } from "../../core/statistics.ts";

/** Statistics of a latency, ms; what a source does not state is absent. */
export interface LatencyStatistics {
  readonly mean?: number;
  readonly p50?: number;
  readonly p90?: number;
  readonly p95?: number;
  readonly p99?: number;
}

/** The percentiles that measurements are compared by. */
export const percentiles = { p50: 0.5, p90: 0.9, p95: 0.95, p99: 0.99 } as const;

export type PercentileName = keyof typeof percentiles;

export const percentileNames = Object.keys(percentiles) as readonly PercentileName[];

/** Mean and type-7 percentiles of values in ms; NaN marks a value that is not defined and is left out. */
export function latencyStatistics(valuesMs: Float64Array): LatencyStatistics {
  const values = valuesMs.filter((value) => !Number.isNaN(value));
  if (values.length === 0) return {};
  const ranks = percentileNames.map((name) => [name, quantile(values, percentiles[name])] as const);
  return { mean: mean(values), ...Object.fromEntries(ranks) };
}
