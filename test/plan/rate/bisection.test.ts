import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Bisection } from "../../../src/plan/rate/bisection.ts";

const ends = { smallest: 1 / 1024, largest: 1024 };

function run(threshold: number, first: number, { tolerance, step }: { tolerance: number; step: number }) {
  const search = new Bisection({ first, step, tolerance, ...ends });
  const tried: number[] = [];
  for (let factor = search.next(); factor !== null; factor = search.next()) {
    tried.push(factor);
    search.take(factor <= threshold);
    if (tried.length > 1000) throw new Error("it does not end");
  }
  return { search, tried };
}

const grids = fc.record({
  tolerance: fc.double({ min: 1.005, max: 1.5, noNaN: true }),
  step: fc.double({ min: 1.05, max: 4, noNaN: true }),
});
const factors = fc.double({ min: 1 / 1000, max: 1000, noNaN: true });

describe("a bisection", () => {
  test("ends within its tolerance of any threshold, after as many tries as its grid needs", () => {
    fc.assert(
      fc.property(factors, factors, grids, (threshold, first, grid) => {
        const { search, tried } = run(threshold, first, grid);
        const { passed, failed } = search;
        if (passed !== null) expect(passed).toBeLessThanOrEqual(threshold);
        if (failed !== null) expect(failed).toBeGreaterThan(threshold);
        const steps = Math.log(1024 * 1024) / Math.log(grid.step);
        const halvings = Math.log2(Math.max(2, Math.log(grid.step) / Math.log(grid.tolerance)));
        expect(tried.length).toBeLessThanOrEqual(Math.ceil(steps) + Math.ceil(halvings) + 2);
        for (const factor of tried) {
          expect(factor).toBeGreaterThanOrEqual(ends.smallest);
          expect(factor).toBeLessThanOrEqual(ends.largest);
        }
        // Between the ends, by a step: there are both a factor that passed and one that failed.
        if (threshold > ends.smallest * grid.step && threshold < ends.largest / grid.step)
          expect(failed! / passed!).toBeLessThanOrEqual(grid.tolerance);
      }),
    );
  });

  test("has no answer below its smallest factor, and none larger than its largest", () => {
    fc.assert(
      fc.property(factors, grids, (first, grid) => {
        expect(run(0, first, grid).search.passed).toBeNull();
        const all = run(Number.POSITIVE_INFINITY, first, grid).search;
        expect(all.failed).toBeNull();
        expect(all.passed! * grid.step).toBeGreaterThan(ends.largest);
      }),
    );
  });

  test("tries each factor once", () => {
    fc.assert(
      fc.property(factors, factors, grids, (threshold, first, grid) => {
        const { tried } = run(threshold, first, grid);
        expect(new Set(tried).size).toBe(tried.length);
      }),
    );
  });
});
