import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InvariantError } from "../../src/core/errors.ts";
import { LogHistogram } from "../../src/core/histogram.ts";
import { mean } from "../../src/core/statistics.ts";

const bound = 2 ** -8;
const value = fc.oneof(
  fc.constant(0),
  fc.double({ min: 1e-300, max: 1e300, noNaN: true }),
  fc.double({ min: 1, max: 1e9, noNaN: true }),
  fc.nat(1000),
);
const values = fc.array(value, { minLength: 1, maxLength: 200 });
/** Values within a few decades, so that the many histograms of one property stay small. */
const close = fc.array(fc.oneof(fc.nat(3), fc.double({ min: 1e-3, max: 1e9, noNaN: true })), {
  minLength: 1,
  maxLength: 100,
});

function histogramOf(sample: readonly number[]): LogHistogram {
  const histogram = new LogHistogram();
  for (const x of sample) histogram.record(x);
  return histogram;
}

describe("the log-bucket histogram", () => {
  test("knows every order statistic to a relative error of 2^-8, the extremes and the count exactly", () => {
    fc.assert(
      fc.property(values, (sample) => {
        const histogram = histogramOf(sample);
        const sorted = sample.toSorted((a, b) => a - b);
        expect(histogram.count).toBe(sample.length);
        expect(histogram.min()).toBe(sorted[0]);
        expect(histogram.max()).toBe(sorted.at(-1));
        sorted.forEach((expected, rank) => {
          const p = sample.length === 1 ? 0.5 : rank / (sample.length - 1);
          // (n - 1) p may fall a rounding error beside the rank; the quantile then interpolates towards a neighbour.
          if (sample.length > 1 && (sample.length - 1) * p !== rank) return;
          expect(Math.abs(histogram.quantile(p) - expected)).toBeLessThanOrEqual(bound * expected);
        });
      }),
    );
  });

  test("keeps the bound at both edges of a bucket", () => {
    for (const edge of [1, 1 + 1 / 128, 1.5, 2 - 1 / 128, 1e9]) {
      for (const x of [edge, edge * (1 - 2 ** -53), edge * (1 + 2 ** -52)]) {
        // Three different neighbours on each side, so that the middle one is not an extreme.
        const found = histogramOf([x / 4, x, x * 4]).quantile(0.5);
        expect(Math.abs(found - x) / x).toBeLessThan(bound);
      }
    }
  });

  test("has the mean to half a millionth", () => {
    fc.assert(
      fc.property(values, (sample) => {
        const expected = mean(sample);
        expect(Math.abs(histogramOf(sample).mean() - expected)).toBeLessThanOrEqual(expected * 5e-7);
      }),
    );
  });

  test("does not depend on the order of values, nor on how they were split and merged", () => {
    fc.assert(
      fc.property(close, close, close, (a, b, c) => {
        const whole = JSON.stringify(histogramOf([...a, ...b, ...c]));
        expect(JSON.stringify(histogramOf([...c, ...a, ...b].reverse()))).toBe(whole);
        const left = histogramOf(a);
        left.merge(histogramOf(b));
        left.merge(histogramOf(c));
        const right = histogramOf(c);
        right.merge(new LogHistogram());
        right.merge(histogramOf(b));
        right.merge(histogramOf(a));
        expect(JSON.stringify(left)).toBe(whole);
        expect(JSON.stringify(right)).toBe(whole);
        expect([left.quantile(0.9), left.mean()]).toEqual([right.quantile(0.9), right.mean()]);
      }),
    );
  });

  test("counts a value many times at once", () => {
    const histogram = new LogHistogram();
    histogram.record(100, 3);
    histogram.record(0, 1);
    expect(JSON.stringify(histogram)).toBe(JSON.stringify(histogramOf([0, 100, 100, 100])));
  });

  test("is empty at first and refuses what is no finite value from 0 on", () => {
    const histogram = new LogHistogram();
    expect([histogram.count, histogram.min(), histogram.max(), histogram.mean(), histogram.quantile(0.5)]).toEqual([
      0,
      NaN,
      NaN,
      NaN,
      NaN,
    ]);
    for (const x of [-1, NaN, Infinity, -Infinity]) expect(() => histogram.record(x)).toThrow(InvariantError);
    for (const p of [-0.1, 1.1, NaN]) expect(() => histogram.quantile(p)).toThrow(InvariantError);
    expect(histogram.count).toBe(0);
  });
});
