import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { RandomStream } from "../../src/core/random.ts";
import { batchMeans, mean, meanInterval, mser5, slope, sum, variance } from "../../src/core/statistics.ts";
import { studentT } from "../../src/core/student-t.ts";

test("a sum adds from the first value to the last, and rounds each addition", () => {
  expect(sum([])).toBe(0);
  expect(sum(Uint32Array.of(1, 2, 3, 4))).toBe(10);
  expect(sum([1, 1e16, -1e16])).toBe(0);
  expect(sum([1e16, -1e16, 1])).toBe(1);
});

test("mean, variance and slope are those of the textbook", () => {
  expect(mean([2, 4, 4, 4, 5, 5, 7, 9])).toBe(5);
  expect(mean(Float64Array.of(1, 2))).toBe(1.5);
  expect(variance([2, 4, 4, 4, 5, 5, 7, 9])).toBeCloseTo(32 / 7, 14);
  expect(slope([1, 2, 3, 4], [2, 4, 5, 9])).toBeCloseTo(2.2, 14);
  expect([mean([]), variance([1]), slope([1], [1])]).toEqual([NaN, NaN, NaN]);
});

test("Student's t has its tabulated quantiles", () => {
  const table = [
    [1, 0.95, 12.706],
    [2, 0.95, 4.303],
    [3, 0.99, 5.841],
    [9, 0.95, 2.262],
    [19, 0.95, 2.093],
    [30, 0.99, 2.75],
    [120, 0.95, 1.98],
    [10_000, 0.95, 1.96],
  ] as const;
  for (const [degrees, level, expected] of table) expect(studentT(degrees, level)).toBeCloseTo(expected, 3);
});

/** First-order autoregression with the given mean and correlation. */
function autoregression(random: RandomStream, length: number, level: number, correlation: number): number[] {
  let state = random.normal() / Math.sqrt(1 - correlation * correlation);
  return Array.from({ length }, () => {
    state = correlation * state + random.normal();
    return level + state;
  });
}

describe("batch means", () => {
  test("cover the mean of an autocorrelated series about 95 times in 100, where the naive interval does not", () => {
    let covered = 0;
    let naive = 0;
    const trials = 300;
    for (let trial = 0; trial < trials; trial++) {
      const series = autoregression(new RandomStream(trial, "batches"), 4000, 10, 0.8);
      const interval = batchMeans(series);
      if (Math.abs(interval.mean - 10) <= interval.halfWidth) covered++;
      if (Math.abs(mean(series) - 10) <= meanInterval(series).halfWidth) naive++;
    }
    expect(covered / trials).toBeGreaterThan(0.91);
    expect(covered / trials).toBeLessThan(0.99);
    expect(naive / trials).toBeLessThan(0.8);
  });

  test("leave out what does not fill a batch at the start, and know nothing from too few values", () => {
    expect(batchMeans([100, 1, 1, 3, 3], 2)).toMatchObject({ mean: 2 });
    expect(batchMeans([1, 2, 3], 20)).toEqual({ mean: 2, halfWidth: Infinity });
  });

  test("never claim that a mean is exact, unless all values are equal", () => {
    const value = fc.oneof(fc.constantFrom(0, 0.1, 3), fc.double({ min: 0, max: 1e9, noNaN: true }));
    const cycle = fc.array(value, { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(cycle, fc.array(value, { maxLength: 25 }), fc.nat(80), (repeated, first, more) => {
        const values = [...first, ...Array.from({ length: more }, (_, i) => repeated[i % repeated.length]!)];
        const { halfWidth } = batchMeans(values);
        const equal = values.length >= 20 && new Set(values).size === 1;
        if (equal) expect(halfWidth).toBe(0);
        else expect(halfWidth).toBeGreaterThan(0);
      }),
    );
    // Requests beside one another that differ, all pairs alike.
    expect(batchMeans(Array.from({ length: 40 }, (_, i) => i % 2)).halfWidth).toBe(Infinity);
    // What differs is left out at the start.
    expect(batchMeans([5, ...Array.from({ length: 20 }, () => 1)]).halfWidth).toBe(Infinity);
  });
});

describe("MSER-5", () => {
  test("cuts a transient at the start and little else", () => {
    const random = new RandomStream(1, "warm-up");
    const steady = autoregression(random, 2000, 10, 0.5);
    const warming = steady.map((x, i) => x + 50 * Math.exp(-i / 40));
    const cut = mser5(warming);
    expect(cut % 5).toBe(0);
    expect(cut).toBeGreaterThan(100);
    expect(cut).toBeLessThan(400);
    expect(Math.abs(mean(warming.slice(cut)) - 10)).toBeLessThan(Math.abs(mean(warming) - 10) / 3);
  });

  test("is the cut that minimises the squared error of what remains", () => {
    const random = new RandomStream(2, "warm-up");
    const series = autoregression(random, 203, 0, 0.9);
    const groups = Array.from({ length: 40 }, (_, g) => mean(series.slice(5 * g, 5 * g + 5)));
    const error = (cut: number) => {
      const kept = groups.slice(cut);
      const average = mean(kept);
      return kept.reduce((sum, x) => sum + (x - average) * (x - average), 0) / (kept.length * kept.length);
    };
    const errors = Array.from({ length: 21 }, (_, cut) => error(cut));
    expect(mser5(series)).toBe(5 * errors.indexOf(Math.min(...errors)));
  });

  test("cuts nothing from a constant or a very short series", () => {
    expect(mser5(Array.from({ length: 100 }, () => 3))).toBe(0);
    expect(mser5([1, 2, 3])).toBe(0);
  });
});
