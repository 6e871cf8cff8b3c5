import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InvariantError } from "../../src/core/errors.ts";
import { enoughSamples, quantile, quantiles } from "../../src/core/quantile.ts";
import { RandomStream } from "../../src/core/random.ts";
import { drawn } from "../drawn.ts";

/** Type 7 as Hyndman and Fan write it, on a full sort. */
function byDefinition(values: readonly number[], p: number): number {
  const x = values.toSorted((a, b) => a - b);
  const h = (x.length - 1) * p;
  const low = x[Math.floor(h)] ?? NaN;
  const high = x[Math.ceil(h)] ?? NaN;
  return low === high ? low : low + (h - Math.floor(h)) * (high - low);
}

const p = fc.double({ min: 0, max: 1, noNaN: true });

describe("quantile", () => {
  test("is type 7: the values R documents for 1..10", () => {
    const values = Float64Array.from([10, 1, 9, 2, 8, 3, 7, 4, 6, 5]);
    expect(quantiles(values, [0, 0.25, 0.5, 0.75, 0.9, 1])).toEqual([1, 3.25, 5.5, 7.75, 9.1, 10]);
  });

  test("equals the definition on a full sort, for any values and levels, and leaves its input alone", () => {
    const values = fc.oneof(
      fc.array(fc.double({ noNaN: true, min: -1e100, max: 1e100 }), { minLength: 1, maxLength: 500 }),
      fc.array(fc.nat(3), { minLength: 1, maxLength: 500 }),
    );
    fc.assert(
      fc.property(values, fc.array(p, { maxLength: 6 }), (sample, ps) => {
        const input = Float64Array.from(sample);
        const expected = ps.map((level) => byDefinition(sample, level) + 0);
        expect(quantiles(input, ps)).toEqual(expected);
        expect([...input]).toEqual(sample);
      }),
      { numRuns: drawn(300) },
    );
  });

  test("interpolates between the right neighbours at every rank", () => {
    const random = new RandomStream(2, "ranks");
    const values = Float64Array.from({ length: 400 }, () => random.uniform());
    const ps = Array.from({ length: 399 }, (_, rank) => (rank + 0.5) / 399);
    expect(ps.map((level) => quantile(values, level))).toEqual(ps.map((level) => byDefinition([...values], level)));
    expect(quantiles(values, ps)).toEqual(ps.map((level) => byDefinition([...values], level)));
  });

  test("is right on orders that defeat simple pivots", () => {
    const n = 30_000;
    const orders = {
      ascending: (i: number) => i,
      descending: (i: number) => n - i,
      equal: () => 7,
      organPipe: (i: number) => Math.min(i, n - i),
      sawtooth: (i: number) => i % 9,
    };
    for (const at of Object.values(orders)) {
      const values = Float64Array.from({ length: n }, (_, i) => at(i));
      expect(quantile(values, 0.99)).toBe(byDefinition([...values], 0.99));
    }
  });

  test("has no answer without samples and refuses samples that are no numbers and levels outside 0..1", () => {
    expect(quantile(new Float64Array(0), 0.5)).toBeNaN();
    expect(() => quantile(Float64Array.of(1, NaN), 0.5)).toThrow(InvariantError);
    for (const level of [-0.1, 1.1, NaN]) expect(() => quantile(Float64Array.of(1), level)).toThrow(InvariantError);
  });
});

test("a percentile needs ten samples beyond it", () => {
  for (const [n, level] of [
    [100, 0.9],
    [1000, 0.99],
    [10_000, 0.999],
    [20, 0.5],
  ] as const) {
    expect(enoughSamples(n, level)).toBe(true);
    expect(enoughSamples(n - 1, level)).toBe(false);
  }
});
