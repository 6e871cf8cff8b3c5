import type { RandomStream } from "../../core/random.ts";

/** a + (b - a) x weight, element by element. */
export function interpolate(a: ArrayLike<number>, b: ArrayLike<number>, weight: number): number[] {
  return Array.from({ length: a.length }, (_, at) => a[at]! + (b[at]! - a[at]!) * weight);
}

/** A random order of 0 .. n - 1. */
export function permuted(n: number, random: RandomStream): number[] {
  const order = Array.from({ length: n }, (_, at) => at);
  for (let left = n - 1; left > 0; left--) {
    const other = random.below(left + 1);
    [order[left], order[other]] = [order[other]!, order[left]!];
  }
  return order;
}
