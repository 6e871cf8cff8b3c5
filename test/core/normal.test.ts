import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { normalCdf, normalQuantile } from "../../src/core/normal.ts";

/** Abramowitz and Stegun, Handbook of Mathematical Functions (1964), table 26.1, and its inverse. */
const known: readonly (readonly [number, number])[] = [
  [0, 0.5],
  [1, 0.841344746],
  [1.281551566, 0.9],
  [1.644853627, 0.95],
  [1.959963985, 0.975],
  [2.575829304, 0.995],
  [3, 0.998650102],
];

describe("the normal distribution", () => {
  test.each(known)("has %d at %d, on both sides", (z, p) => {
    expect(normalCdf(z)).toBeCloseTo(p, 6);
    expect(normalCdf(-z)).toBeCloseTo(1 - p, 6);
    expect(Math.abs(normalQuantile(p) - z)).toBeLessThan(2e-5);
    expect(Math.abs(normalQuantile(1 - p) + z)).toBeLessThan(2e-5);
  });

  test("its quantiles are the inverse of its probabilities, and neither falls", () => {
    const p = fc.double({ min: 1e-5, max: 1 - 1e-5, noNaN: true });
    fc.assert(
      fc.property(p, p, (a, b) => {
        expect(normalCdf(normalQuantile(a))).toBeCloseTo(a, 8);
        if (a + 1e-6 < b) expect(normalQuantile(a)).toBeLessThanOrEqual(normalQuantile(b));
      }),
    );
  });
});
