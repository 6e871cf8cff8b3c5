import { pow } from "../../core/pow.ts";

/**
 * A family of curves "share of accesses covered by c of the experts" (by an LRU cache, or by the c most popular), one
 * for each strength x in 0 .. 1, so that layers of different locality share one shape:
 *   covered(c, x) = n + (1 - n) (1 - (1 - x)^exponent(c)),  n = c / experts.
 * x = 0 is uniform routing. With exponent 1 at the first size, x is the locality in excess of uniform routing there.
 */
export interface LocalityShape {
  /** Sizes over topK, ascending from 1. */
  readonly multiples: readonly number[];
  readonly exponents: readonly number[];
}

/** Locality in excess of uniform routing: 0 for topK / experts, 1 for complete overlap. */
export function excessOverlap(overlap: number, topK: number, experts: number): number {
  const uniform = topK / experts;
  return Math.max(0, (overlap - uniform) / (1 - uniform));
}

/** Finds the exponents with which the mean of the curves over `strengths` passes through the given points. */
export function solveShape(
  slots: readonly number[],
  covered: readonly number[],
  strengths: readonly number[],
  topK: number,
  experts: number,
): LocalityShape {
  const exponents = slots.map((size, index) => {
    const meanCovered = (exponent: number): number =>
      strengths.reduce((sum, x) => sum + coveredBy(size / experts, x, exponent), 0) / strengths.length;
    return bisect((exponent) => meanCovered(exponent) - covered[index]!, 0, 64);
  });
  return { multiples: slots.map((size) => size / topK), exponents };
}

/** Share covered by `size` of the experts. The exponent is interpolated in log size and constant outside the points. */
export function coveredShare(
  shape: LocalityShape,
  size: number,
  strength: number,
  topK: number,
  experts: number,
): number {
  return coveredBy(size / experts, strength, exponentAt(shape, size / topK));
}

function coveredBy(uniform: number, strength: number, exponent: number): number {
  return uniform + (1 - uniform) * (1 - pow(1 - strength, exponent));
}

function exponentAt({ multiples, exponents }: LocalityShape, multiple: number): number {
  const next = multiples.findIndex((value) => value >= multiple);
  if (next === 0) return exponents[0]!;
  if (next < 0) return exponents[exponents.length - 1]!;
  const from = multiples[next - 1]!;
  const weight = Math.log(multiple / from) / Math.log(multiples[next]! / from);
  return exponents[next - 1]! * (1 - weight) + exponents[next]! * weight;
}

/** Root of an increasing function, to about 1e-9 of the interval. */
export function bisect(increasing: (x: number) => number, low: number, high: number): number {
  for (let step = 0; step < 30; step++) {
    const middle = (low + high) / 2;
    if (increasing(middle) < 0) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
