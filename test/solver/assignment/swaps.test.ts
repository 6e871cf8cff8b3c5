import fc from "fast-check";
import { expect, test } from "vitest";
import { RandomStream } from "../../../src/core/random.ts";
import { assignmentBound as lowerBound, simpleLowerBound } from "../../../src/solver/assignment/assignment-bound.ts";
import { type AssignmentProblem, binLoads } from "../../../src/solver/assignment/assignment-problem.ts";
import { assignLongestFirst } from "../../../src/solver/assignment/longest-first.ts";
import { improveBySwaps } from "../../../src/solver/assignment/swaps.ts";
import { lightestHeaviestBin } from "../brute-force.ts";

const anyProblem = (itemsMax: number): fc.Arbitrary<AssignmentProblem & { readonly binItemsMax: number }> =>
  fc
    .tuple(fc.array(fc.nat(100), { minLength: 1, maxLength: itemsMax }), fc.integer({ min: 1, max: 4 }), fc.nat(2))
    .map(([loads, bins, slack]) => ({ loads, bins, binItemsMax: Math.ceil(loads.length / bins) + slack }));

const heaviest = (problem: AssignmentProblem, binOf: Uint16Array) => Math.max(...binLoads(problem, binOf));

test("heaviest-first keeps the limit of items per bin and assigns every item", () => {
  fc.assert(
    fc.property(anyProblem(30), (problem) => {
      const binOf = assignLongestFirst(problem);
      for (let bin = 0; bin < problem.bins; bin++)
        expect(binOf.filter((other) => other === bin).length).toBeLessThanOrEqual(problem.binItemsMax);
      expect(binOf.every((bin) => bin < problem.bins)).toBe(true);
    }),
  );
});

test("heaviest-first follows Graham's rule on an example by hand", () => {
  const problem = { loads: [5, 4, 3, 3, 3], bins: 2, binItemsMax: 3 };
  // 5 | 4, then 3 to the lighter: 5 | 4 3, 5 3 | 4 3, 5 3 | 4 3 3.
  expect([...assignLongestFirst(problem)]).toEqual([0, 1, 1, 0, 1]);
});

test("heaviest-first without a limit stays within 4/3 - 1/(3 bins) of the optimum", () => {
  fc.assert(
    fc.property(anyProblem(8), (given) => {
      const problem = { ...given, binItemsMax: given.loads.length };
      const optimum = lightestHeaviestBin(problem);
      const factor = 4 / 3 - 1 / (3 * problem.bins);
      expect(heaviest(problem, assignLongestFirst(problem))).toBeLessThanOrEqual(factor * optimum + 1e-9);
    }),
  );
});

test("swaps never make the heaviest bin heavier, keep the limits and report its load", () => {
  fc.assert(
    fc.property(anyProblem(30), (problem) => {
      const binOf = assignLongestFirst(problem);
      const before = heaviest(problem, binOf);
      const after = improveBySwaps(problem, binOf);
      expect(after).toBe(heaviest(problem, binOf));
      expect(after).toBeLessThanOrEqual(before);
      for (let bin = 0; bin < problem.bins; bin++)
        expect(binOf.filter((other) => other === bin).length).toBeLessThanOrEqual(problem.binItemsMax);
    }),
  );
});

test("after the swaps no single swap or move relieves the heaviest bin", () => {
  fc.assert(
    fc.property(anyProblem(12), (problem) => {
      const binOf = assignLongestFirst(problem);
      const reached = improveBySwaps(problem, binOf);
      const sums = binLoads(problem, binOf);
      const from = sums.indexOf(reached);
      for (let a = 0; a < binOf.length; a++)
        for (let b = 0; b < binOf.length; b++) {
          if (binOf[a] !== from || binOf[b] === from) continue;
          const moved = (problem.loads[a] ?? 0) - (problem.loads[b] ?? 0);
          expect(Math.max(reached - moved, (sums[binOf[b] ?? 0] ?? 0) + moved)).toBeGreaterThanOrEqual(reached);
        }
    }),
  );
});

test("swaps repair a poor start", () => {
  const problem = { loads: [8, 7, 1, 2], bins: 2, binItemsMax: 2 };
  const binOf = Uint16Array.from([0, 0, 1, 1]);
  expect(improveBySwaps(problem, binOf)).toBe(9);
});

test("moves fill free places", () => {
  const problem = { loads: [4, 4, 4], bins: 3, binItemsMax: 2 };
  expect(improveBySwaps(problem, Uint16Array.from([0, 0, 1]))).toBe(4);
});

test("both bounds hold, and the one that counts forced company is never weaker", () => {
  fc.assert(
    fc.property(anyProblem(8), (problem) => {
      const optimum = lightestHeaviestBin(problem);
      expect(lowerBound(problem)).toBeLessThanOrEqual(optimum + 1e-9);
      expect(lowerBound(problem)).toBeGreaterThanOrEqual(simpleLowerBound(problem));
    }),
  );
});

test("the bound that counts forced company is exact where the heaviest item dominates", () => {
  const problem = { loads: [100, 3, 2, 1], bins: 2, binItemsMax: 2 };
  expect(simpleLowerBound(problem)).toBe(100);
  expect(lowerBound(problem)).toBe(101);
  expect(lightestHeaviestBin(problem)).toBe(101);
});

test("on 256 lognormal loads and 32 bins heaviest-first and swaps come within 0.2 % of the bound", () => {
  const random = new RandomStream(7, "loads");
  const loads = Float64Array.from({ length: 256 }, () => Math.exp(0.7 * random.normal()));
  const problem = { loads, bins: 32, binItemsMax: 8 };
  const binOf = assignLongestFirst(problem);
  expect(improveBySwaps(problem, binOf) / lowerBound(problem)).toBeLessThan(1.002);
});
