import { describe, expect, test } from "vitest";
import { percentileRanks } from "../../src/core/percentile-interval.ts";
import { RandomStream } from "../../src/core/random.ts";

/** P(a <= binomial(n, num/den) <= b) as a fraction of whole numbers. */
function probability(n: number, num: bigint, den: bigint, a: number, b: number): number {
  let sum = 0n;
  let choose = 1n;
  for (let k = 0; k <= n; k++) {
    if (k >= a && k <= b) sum += choose * num ** BigInt(k) * (den - num) ** BigInt(n - k);
    choose = (choose * BigInt(n - k)) / BigInt(k + 1);
  }
  return Number((sum * 10n ** 15n) / den ** BigInt(n)) / 1e15;
}

describe("the ranks around a percentile", () => {
  test("are the textbook pair for the median of ten: the second and the ninth", () => {
    // P(2 <= K <= 8) = 1002/1024 = 0.979; the third and the eighth have P(3 <= K <= 7) = 0.891.
    expect(percentileRanks(10, 0.5, 0.95)).toEqual({ low: 1, high: 8 });
    expect(percentileRanks(10, 0.5, 0.89)).toEqual({ low: 2, high: 7 });
  });

  test("hold the enumerated binomial probability, and the next pair inwards does not, on either side", () => {
    for (const n of [2, 5, 9, 20, 59, 60, 99, 100, 150, 209, 300, 420])
      for (const [num, den] of [
        [1n, 2n],
        [9n, 10n],
        [19n, 20n],
        [99n, 100n],
        [999n, 1000n],
      ] as const) {
        const { low, high } = percentileRanks(n, Number(num) / Number(den), 0.95);
        const tail = low === null || high === null ? 0.05 : 0.025;
        const below = (rank: number) => probability(n, num, den, 0, rank);
        const above = (rank: number) => probability(n, num, den, rank + 1, n);
        if (low === null) expect(below(0)).toBeGreaterThan(0.025);
        else {
          expect(below(low)).toBeLessThanOrEqual(tail);
          expect(below(low + 1)).toBeGreaterThan(tail);
        }
        if (high === null) expect(above(n - 1)).toBeGreaterThan(0.025);
        else {
          expect(above(high)).toBeLessThanOrEqual(tail);
          expect(above(high - 1)).toBeGreaterThan(tail);
        }
        if (low !== null && high !== null) expect(probability(n, num, den, low + 1, high)).toBeGreaterThanOrEqual(0.95);
      }
  });

  test("have no upper one where the maximum may well lie below the percentile", () => {
    // 0.99^209 = 0.122: with that probability no sample is beyond p99. 0.99^368 = 0.0248.
    expect(percentileRanks(209, 0.99, 0.95).high).toBeNull();
    expect(percentileRanks(367, 0.99, 0.95).high).toBeNull();
    expect(percentileRanks(368, 0.99, 0.95).high).toBe(367);
    expect(percentileRanks(0, 0.99, 0.95)).toEqual({ low: null, high: null });
    expect(percentileRanks(1, 0.5, 0.95)).toEqual({ low: null, high: null });
  });

  test("are mirrored for the mirrored percentile", () => {
    for (const n of [12, 80, 333]) {
      const upper = percentileRanks(n, 0.9, 0.95);
      const lower = percentileRanks(n, 0.1, 0.95);
      const mirror = (rank: number | null) => (rank === null ? null : n - 1 - rank);
      expect(lower).toEqual({ low: mirror(upper.high), high: mirror(upper.low) });
    }
  });

  test("of ten thousand samples lose nothing to underflow", () => {
    // Those beyond p99.9 are Poisson(10) but for 1e-3: P(<= 3) = 0.0103 and P(>= 18) = 0.0143; one more is above 0.025.
    expect(percentileRanks(9999, 0.999, 0.95)).toEqual({ low: 9999 - 18, high: 9999 - 4 });
    const { low, high } = percentileRanks(9999, 0.5, 0.95);
    // 4999.5 -+ 1.96 sqrt(n) / 2.
    expect(Math.abs(low! - (4999.5 - 98))).toBeLessThan(2);
    expect(Math.abs(high! - (4999.5 + 98))).toBeLessThan(2);
  });

  test.each([
    [30, 0.9],
    [209, 0.95],
    [209, 0.99],
    [500, 0.99],
  ] as const)("cover the true percentile of %d samples at %d in 19 of 20 runs or more", (n, p) => {
    const random = new RandomStream(7, `coverage ${n} ${p}`);
    const truth = -Math.log(1 - p);
    const ranks = percentileRanks(n, p, 0.95);
    let covered = 0;
    const trials = 2000;
    for (let trial = 0; trial < trials; trial++) {
      const sorted = Float64Array.from({ length: n }, () => random.exponential()).sort();
      const low = ranks.low === null ? 0 : sorted[ranks.low]!;
      const high = ranks.high === null ? Number.POSITIVE_INFINITY : sorted[ranks.high]!;
      if (low <= truth && truth <= high) covered++;
    }
    expect(covered / trials).toBeGreaterThan(0.94);
  });
});
