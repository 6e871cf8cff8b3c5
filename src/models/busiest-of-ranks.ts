import { pow } from "../core/pow.ts";
import type { RankKind } from "./contiguous-ranks.ts";
import { largestOfKinds } from "./largest-of-normals.ts";

/** Counts on ranks, each in proportion to the experts it holds: their sum, and how they vary about their shares. */
export interface RankCounts {
  /** Most experts first; no rank without experts. */
  readonly kinds: readonly RankKind[];
  /** Expected sum over the ranks. */
  readonly sum: number;
  /**
   * Sum over the ranks of the variance of a count less its covariance with another of the same mean: what is left once
   * movements common to all are removed. Its ratio to `sum` is the dispersion of every count.
   */
  readonly spread: number;
}

/** Ranks of one kind with the share of the sum that each of them expects. */
interface SharedKind {
  readonly ranks: number;
  readonly share: number;
}

/** Largest sum whose maximum is counted exactly; the cost grows with its square. */
const countedSum = 64;
/** Below this mean per rank a count is too discrete for the normal approximation. */
const discreteMean = 40;
const negligible = 1e-9;

/**
 * Expected maximum of the counts. Up to a sum of 64 they are balls of which each rank can take a number fixed by the
 * spread and its experts (multivariate hypergeometric; multinomial or Polya where the spread is as large as the mean or
 * larger): exact for one token, for one expert a token and for a fixed number of distinct experts. Larger sums take the
 * ranks as independent, with the same family's distribution for means up to 40 and a normal one with the skewness of the
 * family (Cornish and Fisher 1938) beyond.
 */
export function busiestOfRanks({ kinds, sum, spread }: RankCounts): number {
  const experts = kinds.reduce((all, kind) => all + kind.ranks * kind.experts, 0);
  const shared = kinds.map((kind) => ({ ranks: kind.ranks, share: kind.experts / experts }));
  const mean = sum * (shared[0]?.share ?? 0);
  const dispersion = spread / sum;
  if (sum <= 0 || spread <= negligible * sum || mean === sum) return mean;
  if (sum > countedSum)
    return mean <= discreteMean ? independentMaximum(shared, sum, dispersion) : normalMaximum(shared, sum, dispersion);
  const whole = Math.floor(sum);
  const part = sum - whole;
  const low = countedMaximum(shared, whole, dispersion);
  return part === 0 ? low : low + part * (countedMaximum(shared, whole + 1, dispersion) - low);
}

/** Expected maximum of counts of sum `sum`, by the coefficient of z^sum in the truncated generating function. */
function countedMaximum(kinds: readonly SharedKind[], sum: number, dispersion: number): number {
  if (sum <= 1 || dispersion >= sum) return sum;
  const weights = kindWeights(kinds, sum, dispersion);
  const ranks = kinds.reduce((all, kind) => all + kind.ranks, 0);
  const all = coefficientOfProduct(kinds, weights, sum);
  const least = Math.ceil(sum / ranks);
  let expected = least;
  for (let limit = least; limit < sum; limit++) {
    const upTo = weights.map((counts) => counts.subarray(0, limit + 1));
    const above = 1 - coefficientOfProduct(kinds, upTo, sum) / all;
    if (above < negligible) break;
    expected += above;
  }
  return expected;
}

/** Weights of the counts 0..sum of a rank of each kind. */
function kindWeights(kinds: readonly SharedKind[], sum: number, dispersion: number): Float64Array[] {
  const growth = ({ share }: SharedKind) => {
    // One over the balls a rank can take: 0 without a limit, negative where a ball attracts others.
    const scarcity = (1 - dispersion) / ((sum - dispersion) * share);
    return (n: number) => Math.max(0, 1 - n * scarcity) / (n + 1);
  };
  const peakOf = ({ share }: SharedKind) => Math.ceil(sum * share) - 1;
  const [first] = kinds;
  if (first === undefined) return [];
  // Any factor theta^n common to all kinds cancels: chosen so that the weights peak, at 1, about the mean and none
  // overflows.
  const theta = growth(first)(peakOf(first));
  return kinds.map((kind) => {
    const peak = peakOf(kind);
    const ratio = growth(kind);
    const scale = kind.share / first.share / theta;
    const weights = new Float64Array(sum + 1);
    weights[peak] = 1;
    for (let n = peak; n < sum; n++) weights[n + 1] = weights[n]! * ratio(n) * scale;
    for (let n = peak - 1; n >= 0; n--) weights[n] = weights[n + 1]! / (ratio(n) * scale);
    return weights;
  });
}

/** Coefficient of z^degree in the product over the kinds of (sum of weights[n] z^n)^ranks. */
function coefficientOfProduct(kinds: readonly SharedKind[], weights: readonly Float64Array[], degree: number): number {
  const powers = kinds.map((kind, i) => powerOf(weights[i]!, degree, kind.ranks));
  return powers.reduce((product, power) => truncatedProduct(product, power, degree))[degree] ?? 0;
}

/** (sum of factor[n] z^n)^exponent up to z^degree, by repeated squaring. */
function powerOf(factor: Float64Array, degree: number, exponent: number): Float64Array {
  let square = factor;
  let product: Float64Array | null = null;
  for (let rest = exponent; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) product = product === null ? square : truncatedProduct(product, square, degree);
    if (rest > 1) square = truncatedProduct(square, square, degree);
  }
  return product ?? Float64Array.of(1);
}

function truncatedProduct(a: Float64Array, b: Float64Array, degree: number): Float64Array {
  const product = new Float64Array(Math.min(degree, a.length + b.length - 2) + 1);
  for (let i = 0; i < a.length; i++) {
    const end = Math.min(b.length, product.length - i);
    for (let j = 0; j < end; j++) product[i + j]! += a[i]! * b[j]!;
  }
  return product;
}

/** Expected maximum of independent binomial, Poisson or negative binomial counts. */
function independentMaximum(kinds: readonly SharedKind[], sum: number, dispersion: number): number {
  const poisson = Math.abs(dispersion - 1) < negligible;
  // Panjer's recursion: p(n) = p(n - 1) (a + b / n).
  const a = poisson ? 0 : 1 - 1 / dispersion;
  const states = kinds.map(({ ranks, share }) => {
    const mean = sum * share;
    const none = poisson ? pow(Math.E, -mean) : pow(dispersion, mean / (1 - dispersion));
    return { ranks, mean, b: mean * (1 - a) - a, probability: none, below: none };
  });
  const largestMean = states[0]?.mean ?? 0;
  let expected = 0;
  for (let n = 1; n <= sum; n++) {
    let none = 1;
    for (const state of states) {
      none *= pow(Math.min(1, state.below), state.ranks);
      state.probability *= Math.max(0, a + state.b / n);
      state.below += state.probability;
    }
    const above = 1 - none;
    if (n > largestMean && above < negligible) break;
    expected += above;
  }
  return expected;
}

function normalMaximum(kinds: readonly SharedKind[], sum: number, dispersion: number): number {
  return largestOfKinds(
    kinds.map(({ ranks, share }) => ({
      count: ranks,
      mean: sum * share,
      deviation: Math.sqrt(dispersion * sum * share),
      skew: (1 - 2 * share) * (2 * dispersion - 1),
    })),
  );
}
