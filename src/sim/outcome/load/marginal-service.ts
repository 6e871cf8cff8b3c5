import { quantile } from "../../../core/quantile.ts";
import type { CountPath } from "./count-path.ts";
import type { LoadRows } from "./load-rows.ts";

/**
 * Service time that one more running request adds to a request of mean length, ns, as an interval. The reciprocal is
 * the rate that ever larger batches approach. It is the slope of service time over the mean number of running requests
 * beside it, weighted by length. Its upper end is the slope over the fuller half of the batches: a batch that begins to
 * meet a limit is steeper there.
 */
export function marginalService(
  { count, scheduledNs, completedNs, serviceNs }: LoadRows,
  lengths: Float64Array,
  start: number,
  running: CountPath,
): { readonly lowNs: number; readonly highNs: number } {
  const beside: number[] = [];
  const service: number[] = [];
  const weight: number[] = [];
  for (let i = start; i < count; i++) {
    if (!(serviceNs[i]! > 0)) continue;
    beside.push(running.mean(scheduledNs[i]!, completedNs[i]!));
    service.push(serviceNs[i]! / lengths[i]!);
    weight.push(lengths[i]!);
  }
  if (beside.length < 4) return { lowNs: 0, highNs: Number.POSITIVE_INFINITY };
  const all = weightedSlope(beside, service, weight);
  const middle = quantile(Float64Array.from(beside), 0.5);
  const fuller = weightedSlope(
    beside,
    service,
    weight.map((each, i) => (beside[i]! >= middle ? each : 0)),
  );
  return {
    lowNs: all.slope - 2 * all.error,
    highNs: Math.max(all.slope + 6 * all.error, fuller.slope + 3 * fuller.error),
  };
}

/** Slope by weighted least squares, and its standard error; a slope of 0 without an error where x does not vary. */
function weightedSlope(x: readonly number[], y: readonly number[], weight: readonly number[]) {
  let total = 0;
  let xMean = 0;
  let yMean = 0;
  let used = 0;
  for (const [i, w] of weight.entries()) {
    total += w;
    xMean += w * x[i]!;
    yMean += w * y[i]!;
    if (w > 0) used++;
  }
  xMean /= total;
  yMean /= total;
  let xx = 0;
  let xy = 0;
  let yy = 0;
  for (const [i, w] of weight.entries()) {
    xx += w * (x[i]! - xMean) * (x[i]! - xMean);
    xy += w * (x[i]! - xMean) * (y[i]! - yMean);
    yy += w * (y[i]! - yMean) * (y[i]! - yMean);
  }
  if (!(xx > 0)) return { slope: 0, error: Number.POSITIVE_INFINITY };
  const slope = xy / xx;
  return { slope, error: Math.sqrt(Math.max(0, yy - slope * xy) / Math.max(1, used - 2) / xx) };
}
