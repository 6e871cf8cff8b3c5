import * as simple from "simple-statistics";
import { studentT } from "./student-t.ts";

type Samples = readonly number[] | Float64Array | Uint32Array;

/** Sum from the first value to the last, each addition rounded; 0 when there are none. */
export function sum(values: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < values.length; i++) total += values[i]!;
  return total;
}

/** Arithmetic mean by compensated summation; NaN when there are no values. */
export function mean(values: Samples): number {
  return values.length === 0 ? NaN : simple.mean(numbers(values));
}

/** Sample variance (divisor n - 1); NaN for fewer than two values. */
export function variance(values: Samples): number {
  return values.length < 2 ? NaN : simple.sampleVariance(numbers(values));
}

/** Slope of the least-squares line through the points; NaN for fewer than two. */
export function slope(xs: Samples, ys: Samples): number {
  if (xs.length < 2) return NaN;
  return simple.linearRegression(Array.from(xs, (x, i) => [x, ys[i] ?? NaN])).m;
}

/** Mean of independent values and the half-width of its confidence interval by Student's t. */
export function meanInterval(values: Samples, level = 0.95): { mean: number; halfWidth: number } {
  const n = values.length;
  if (n < 2) return { mean: mean(values), halfWidth: Infinity };
  return { mean: mean(values), halfWidth: studentT(n - 1, level) * Math.sqrt(variance(values) / n) };
}

/**
 * Mean of a stationary, autocorrelated series with its 95 % half-width, by non-overlapping batch means (20 batches
 * unless told; Schmeiser 1982 advises 10 to 30). The values that do not fill a batch are left out at the start.
 * Half-width Infinity where batches say nothing of the spread: there are fewer values than batches, or the batches agree and
 * the values do not. 0 only where all values are equal.
 */
export function batchMeans(values: Samples, batches = 20): { mean: number; halfWidth: number } {
  const size = Math.floor(values.length / batches);
  if (size === 0) return { mean: mean(values), halfWidth: Infinity };
  const start = values.length - size * batches;
  const means = Array.from({ length: batches }, (_, b) => mean(values.slice(start + b * size, start + (b + 1) * size)));
  const interval = meanInterval(means);
  const range = spread(values);
  if (range === 0) return { ...interval, halfWidth: 0 };
  return interval.halfWidth > range * roundingShare ? interval : { ...interval, halfWidth: Infinity };
}

/** Share of the range of values below which a difference of their means is rounding. */
const roundingShare = 1e-9;

/** From the smallest value to the largest. */
function spread(values: Samples): number {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return high - low;
}

/**
 * Number of values at the start of a series to leave out as warm-up: MSER-5 (White, Cobb and Spratt 2000), the cut, in
 * groups of five, that minimises the squared standard error of what remains. A cut in the second half of the series is
 * not considered; a cut near the middle means that the run was too short.
 */
export function mser5(values: Samples): number {
  const groups = Math.floor(values.length / 5);
  if (groups < 2) return 0;
  let best = 0;
  let bestError = Infinity;
  // Mean and squared deviations of the groups from `cut` on, extended backwards (Welford 1962).
  let average = 0;
  let squares = 0;
  for (let cut = groups - 1; cut >= 0; cut--) {
    const group = mean(values.slice(cut * 5, cut * 5 + 5));
    const kept = groups - cut;
    const step = group - average;
    average += step / kept;
    squares += step * (group - average);
    const error = squares / (kept * kept);
    if (cut <= groups / 2 && error <= bestError) {
      best = cut;
      bestError = error;
    }
  }
  return best * 5;
}

/** simple-statistics only indexes its samples, which a typed array allows without a copy. */
function numbers(values: Samples): readonly number[] {
  return values as readonly number[];
}
