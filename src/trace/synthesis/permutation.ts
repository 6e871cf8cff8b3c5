import type { RandomStream } from "../../core/random.ts";

/** A random order of 0 .. n - 1. */
export function permuted(n: number, random: RandomStream): number[] {
  const order = Array.from({ length: n }, (_, at) => at);
  for (let left = n - 1; left > 0; left--) {
    const other = random.below(left + 1);
    [order[left], order[other]] = [order[other]!, order[left]!];
  }
  return order;
}
