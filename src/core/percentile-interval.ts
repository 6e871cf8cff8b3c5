import { InvariantError } from "./errors.ts";

/**
 * Ranks, from 0, of the order statistics of n independent samples between which the p-quantile lies with probability
 * `level` at least, whatever the distribution: the number of samples below it is binomial(n, p). Each side is left out
 * with half of 1 - level. Null for a side that no sample bounds with that probability; the other side then takes all of
 * 1 - level.
 */
export function percentileRanks(
  n: number,
  p: number,
  level: number,
): { readonly low: number | null; readonly high: number | null } {
  if (!(p > 0 && p < 1)) throw new InvariantError("quantile-level", `p = ${p} is not between 0 and 1`);
  if (n === 0) return { low: null, high: null };
  const probability = binomial(n, p);
  const half = (1 - level) / 2;
  const both = { low: lowest(probability, half), high: highest(probability, half) };
  if (both.low !== null && both.high !== null) return both;
  return { low: lowest(probability, 1 - level), high: highest(probability, 1 - level), ...missing(both) };
}

/** A side without a bound stays without one. */
const missing = ({ low, high }: { readonly low: number | null; readonly high: number | null }) => ({
  ...(low === null ? { low } : {}),
  ...(high === null ? { high } : {}),
});

/** The largest rank r for which at most r samples lie below the quantile with probability <= tail. */
function lowest(probability: Float64Array, tail: number): number | null {
  let below = 0;
  for (let k = 0; k < probability.length; k++) {
    below += probability[k]!;
    if (below > tail * slack) return k === 0 ? null : k - 1;
  }
  return null;
}

/** The smallest rank r for which more than r samples lie below the quantile with probability <= tail. */
function highest(probability: Float64Array, tail: number): number | null {
  let above = 0;
  for (let k = probability.length - 1; k >= 0; k--) {
    above += probability[k]!;
    if (above > tail * slack) return k === probability.length - 1 ? null : k;
  }
  return null;
}

/** A sum of probabilities that equals the tail but for rounding is within it. */
const slack = 1 + 1e-9;

/** Probabilities of 0..n successes, from their ratios outwards from the mode; what underflows is 0. */
function binomial(n: number, p: number): Float64Array {
  const weights = new Float64Array(n + 1);
  const mode = Math.min(n, Math.floor((n + 1) * p));
  const odds = p / (1 - p);
  weights[mode] = 1;
  for (let k = mode; k > 0; k--) weights[k - 1] = (weights[k]! * k) / ((n - k + 1) * odds);
  for (let k = mode; k < n; k++) weights[k + 1] = (weights[k]! * (n - k) * odds) / (k + 1);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}
