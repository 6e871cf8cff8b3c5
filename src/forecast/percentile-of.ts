import { percentileRanks } from "../core/percentile-interval.ts";
import { enoughSamples } from "../core/quantile.ts";
import type { LatencySamples } from "../sim/outcome/request-latencies.ts";

/** Probability with which a percentile lies in its interval. */
export const intervalLevel = 0.95;

/** A percentile of latencies, ns. */
interface PercentileEstimate {
  readonly value: number;
  /**
   * Between which order statistics it lies, where fewer than ten samples are beyond it; null where there are enough. The
   * low end is 0 where no sample bounds it, the high end null.
   */
  readonly interval: { readonly low: number; readonly high: number | null } | null;
}

/** The p-quantile of at least one sample, with its interval if the samples are few. */
export function percentileOf(samples: LatencySamples, p: number): PercentileEstimate {
  const value = samples.quantile(p);
  if (enoughSamples(samples.count, p)) return { value, interval: null };
  const { low, high } = percentileRanks(samples.count, p, intervalLevel);
  return {
    value,
    interval: {
      low: low === null ? 0 : samples.atRank(low),
      high: high === null ? null : samples.atRank(high),
    },
  };
}
