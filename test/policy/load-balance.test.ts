import { describe, expect, test } from "vitest";
import { chanceImbalance, chanceOfEqual } from "../../src/policy/placement/chance-imbalance.ts";
import { loadBalance } from "../../src/policy/placement/load-balance.ts";

test("balance by hand: mean of ratios, the worst layer, and the ratio of sums", () => {
  // Layer 0: 3 of mean 2; layer 1: 10 of mean 5; layer 2 has no load.
  expect(loadBalance(Float64Array.of(1, 3, 10, 0, 0, 0), 2)).toEqual({
    maxOverMean: (1.5 + 2 + 1) / 3,
    worst: { layer: 1, maxOverMean: 2 },
    balancedness: (2 + 5) / (3 + 10),
  });
});

describe("chance", () => {
  test("follows the binomial distribution for two ranks", () => {
    expect(chanceOfEqual(2, 1)).toBeCloseTo(2, 9);
    // 2 pairs: both on one rank half of the time. 4 pairs: E[max] = (2 x 4 + 8 x 3 + 6 x 2) / 16 = 2.75.
    expect(chanceOfEqual(2, 2)).toBeCloseTo(1.5, 1);
    expect(chanceOfEqual(2, 4)).toBeCloseTo(2.75 / 2, 1);
  });

  test("falls with the size of the step towards what the shares say", () => {
    const loads = Float64Array.of(4, 2, 1, 1);
    const [few, some, many] = [8, 64, 20_000].map((pairs) => chanceImbalance(loads, 4, pairs));
    expect(few).toBeGreaterThan(some!);
    expect(some).toBeGreaterThan(many!);
    expect(many).toBeCloseTo(2, 1);
    expect(chanceImbalance(loads, 4, 64)).toBe(some);
  });

  test("of many pairs is drawn otherwise, and goes on where few end: the excess falls with their root", () => {
    const excess = [32_000, 33_000, 128_000, 8_000_000].map((pairs) => chanceOfEqual(8, pairs) - 1);
    expect(excess[1]! / excess[0]!).toBeGreaterThan(0.9);
    expect(excess[1]! / excess[0]!).toBeLessThan(1.1);
    expect(excess[2]! / excess[0]!).toBeCloseTo(0.5, 1);
    expect(excess[3]! / excess[0]!).toBeCloseTo(Math.sqrt(0.004), 1);
    expect(chanceImbalance(Float64Array.of(0, 3, 1, 0), 4, 1e6)).toBeCloseTo(3, 2);
  });
});
