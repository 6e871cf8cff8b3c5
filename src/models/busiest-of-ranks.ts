import { pow } from "../core/pow.ts";

/** Exchangeable counts on `ranks` ranks: their sum, and the variance of one about the mean of all. */
export interface RankCounts {
  readonly ranks: number;
  /** Expected sum over the ranks. */
  readonly sum: number;
  /** Variance of one count less its covariance with another: what is left once movements common to all are removed. */
  readonly spread: number;
}

/** Largest sum whose maximum is counted exactly; the cost grows with its square. */
const countedSum = 64;
/** Below this mean per rank a count is too discrete for the normal approximation. */
const discreteMean = 40;
const negligible = 1e-9;

/**
 * Expected maximum of the counts. Up to a sum of 64 they are balls of which each rank can take a number fixed by the
 * spread (multivariate hypergeometric; multinomial or Polya where the spread is as large as the mean or larger):
 * exact for one token, for one expert a token and for a fixed number of distinct experts. Larger sums take the ranks as
 * independent, with the same family's distribution for means up to 40 and a normal one with the skewness of the
 * family (Cornish and Fisher 1938) beyond.
 */
export function busiestOfRanks(counts: RankCounts): number {
  const { ranks, sum, spread } = counts;
  const mean = sum / ranks;
  if (ranks === 1 || sum <= 0 || spread <= negligible * mean) return mean;
  const dispersion = spread / mean;
  if (sum > countedSum) return mean <= discreteMean ? independentMaximum(counts) : normalMaximum(counts);
  const whole = Math.floor(sum);
  const share = sum - whole;
  const low = countedMaximum(whole, ranks, dispersion);
  return share === 0 ? low : low + share * (countedMaximum(whole + 1, ranks, dispersion) - low);
}

/** Expected maximum of `ranks` counts of sum `sum`, by the coefficient of z^sum in the truncated generating function. */
function countedMaximum(sum: number, ranks: number, dispersion: number): number {
  if (sum <= 1 || dispersion >= sum) return sum;
  const mean = sum / ranks;
  // One over the balls a rank can take: 0 without a limit, negative where a ball attracts others.
  const scarcity = (ranks * (1 - dispersion)) / (sum - dispersion);
  const ratio = (n: number) => Math.max(0, 1 - n * scarcity) / (n + 1);
  // Any factor theta^n cancels: chosen so that the weights peak, at 1, about the mean and none overflows.
  const peak = Math.ceil(mean) - 1;
  const weights = new Float64Array(sum + 1);
  weights[peak] = 1;
  for (let n = peak; n < sum; n++) weights[n + 1] = weights[n]! * (ratio(n) / ratio(peak));
  for (let n = peak - 1; n >= 0; n--) weights[n] = weights[n + 1]! * (ratio(peak) / ratio(n));
  const all = coefficientOfPower(weights, sum, ranks);
  const least = peak + 1;
  let expected = least;
  for (let limit = least; limit < sum; limit++) {
    const above = 1 - coefficientOfPower(weights.subarray(0, limit + 1), sum, ranks) / all;
    if (above < negligible) break;
    expected += above;
  }
  return expected;
}

/** Coefficient of z^degree in (sum of factor[n] z^n)^exponent, by repeated squaring. */
function coefficientOfPower(factor: Float64Array, degree: number, exponent: number): number {
  let square = factor;
  let product: Float64Array | null = null;
  for (let rest = exponent; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) product = product === null ? square : truncatedProduct(product, square, degree);
    if (rest > 1) square = truncatedProduct(square, square, degree);
  }
  return product?.[degree] ?? 0;
}

function truncatedProduct(a: Float64Array, b: Float64Array, degree: number): Float64Array {
  const product = new Float64Array(Math.min(degree, a.length + b.length - 2) + 1);
  for (let i = 0; i < a.length; i++) {
    const end = Math.min(b.length, product.length - i);
    for (let j = 0; j < end; j++) product[i + j]! += a[i]! * b[j]!;
  }
  return product;
}

/** Expected maximum of independent binomial, Poisson or negative binomial counts of the given mean and spread. */
function independentMaximum({ ranks, sum, spread }: RankCounts): number {
  const mean = sum / ranks;
  const dispersion = spread / mean;
  const poisson = Math.abs(dispersion - 1) < negligible;
  // Panjer's recursion: p(n) = p(n - 1) (a + b / n).
  const a = poisson ? 0 : 1 - 1 / dispersion;
  const b = mean * (1 - a) - a;
  let probability = poisson ? pow(Math.E, -mean) : pow(dispersion, mean / (1 - dispersion));
  let below = probability;
  let expected = 0;
  for (let n = 1; n <= sum; n++) {
    const above = 1 - pow(Math.min(1, below), ranks);
    if (n > mean && above < negligible) break;
    expected += above;
    probability *= Math.max(0, a + b / n);
    below += probability;
  }
  return expected;
}

function normalMaximum({ ranks, sum, spread }: RankCounts): number {
  const mean = sum / ranks;
  const { first, second } = largestOfNormals(ranks);
  const skew = (1 - 2 / ranks) * ((2 * spread) / mean - 1);
  return mean + Math.sqrt(spread) * first + (skew * (second - 1)) / 6;
}

interface LargestMoments {
  readonly first: number;
  readonly second: number;
}

/** The moments by number of variables; they depend on nothing else. */
const knownMoments = new Map<number, LargestMoments>();

/** Expectation of the largest of `count` independent standard normal variables, and of its square. */
export function largestOfNormals(count: number): LargestMoments {
  const known = knownMoments.get(count);
  if (known !== undefined) return known;
  const step = 1 / 64;
  const end = 8;
  let below = 0;
  let first = 0;
  let second = 0;
  let previous = 0;
  for (let z = -end; z <= end; z += step) {
    const density = pow(Math.E, (-z * z) / 2) / Math.sqrt(2 * Math.PI);
    // Trapezoids of the density with the Euler-Maclaurin term of their error.
    below += (step * (previous + density)) / 2;
    previous = density;
    const cumulative = Math.max(0, Math.min(1, below + (step * step * z * density) / 12));
    const weight = step * count * density * pow(cumulative, count - 1);
    first += weight * z;
    second += weight * z * z;
  }
  const moments = { first, second };
  knownMoments.set(count, moments);
  return moments;
}
