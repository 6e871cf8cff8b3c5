import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InvalidInputError } from "../../src/core/errors.ts";
import { bitAllocation } from "../../src/solver/bit-allocation/bit-allocation.ts";
import type { BitProblem } from "../../src/solver/bit-allocation/bit-problem.ts";
import { solveHere } from "../../src/solver/solver.ts";
import { drawn } from "../drawn.ts";

/** The least loss by trying every choice; Infinity where none fits. */
function leastByAll({ experts, bits, loss, budget, atLeastOnce }: BitProblem): number {
  let least = Number.POSITIVE_INFINITY;
  const given: number[] = [];
  const extend = (spent: number, lost: number): void => {
    if (spent > budget) return;
    if (given.length === experts) {
      if (atLeastOnce.every((width) => given.includes(width))) least = Math.min(least, lost);
      return;
    }
    for (const [i, width] of bits.entries()) {
      const of = loss[given.length * bits.length + i]!;
      given.push(width);
      extend(spent + width, lost + of);
      given.pop();
    }
  };
  extend(0, 0);
  return least;
}

const problems: fc.Arbitrary<BitProblem> = fc
  .record({
    experts: fc.integer({ min: 2, max: 6 }),
    bits: fc.uniqueArray(fc.integer({ min: 1, max: 8 }), { minLength: 1, maxLength: 4 }),
    needs: fc.integer({ min: 0, max: 2 }),
    room: fc.double({ min: 0, max: 1.2, noNaN: true }),
    seed: fc.array(fc.integer({ min: 0, max: 1000 }), { minLength: 24, maxLength: 24 }),
  })
  .map(({ experts, bits, needs, room, seed }) => {
    const sorted = bits.sort((a, b) => a - b);
    const atLeastOnce = sorted.slice(-Math.min(needs, sorted.length, experts)).slice(0, needs);
    const least = atLeastOnce.reduce((sum, width) => sum + width, (experts - atLeastOnce.length) * sorted[0]!);
    return {
      experts,
      bits: sorted,
      atLeastOnce,
      budget: Math.round(least + room * (experts * sorted.at(-1)! - least)),
      loss: Float64Array.from(seed.slice(0, experts * sorted.length)),
    };
  });

describe("bit allocation", () => {
  test("the dynamic program loses the least of all choices, whatever losses, widths and budget are", async () => {
    await fc.assert(
      fc.asyncProperty(problems, async (problem) => {
        const answer = await solveHere(bitAllocation, problem);
        expect(answer.objective).toBe(leastByAll(problem));
        expect(answer).toMatchObject({ solver: "dp", proved: true, gap: 0 });
      }),
      { numRuns: drawn(150) },
    );
  });

  test("HiGHS and GLPK find the same", async () => {
    for (const problem of fc.sample(problems, { numRuns: drawn(8), seed: 5 })) {
      const { objective } = await solveHere(bitAllocation, problem);
      for (const solver of ["highs", "glpk"]) {
        const answer = await solveHere(bitAllocation, problem, { solver, gap: 1e-9 });
        expect(answer.objective, solver).toBeCloseTo(objective, 6);
        expect(answer.bound).toBeLessThanOrEqual(answer.objective);
      }
    }
  });

  test("losses of any scale make the same choice", async () => {
    const [problem] = fc.sample(problems, { numRuns: 1, seed: 3 });
    const small = { ...problem!, loss: problem!.loss.map((value) => value * 1e-12) };
    const of = async (solver: string) => (await solveHere(bitAllocation, small, { solver })).objective;
    expect(await of("highs")).toBeCloseTo(await of("dp"), 20);
  });

  test("a larger budget never loses more, and a width that somebody must have never less", async () => {
    const loss = Float64Array.of(9, 4, 1, 8, 3, 2, 7, 6, 0, 9, 9, 9);
    const of = async (budget: number, atLeastOnce: number[]) =>
      (await solveHere(bitAllocation, { experts: 4, bits: [1, 2, 3], loss, budget, atLeastOnce })).objective;
    let before = Number.POSITIVE_INFINITY;
    for (let budget = 7; budget <= 12; budget++) {
      const bound = await of(budget, [2, 3]);
      expect(bound).toBeLessThanOrEqual(before);
      expect(bound).toBeGreaterThanOrEqual(await of(budget, []));
      before = bound;
    }
  });

  test.each([
    [{ budget: 6 }, "budget: expected at least 7 bits for 4 experts, found 6"],
    [{ bits: [2, 1, 3] }, "bits: expected whole widths from 1 to 32, ascending"],
    [{ bits: [] }, "bits: expected whole widths"],
    [{ loss: new Float64Array(11) }, "loss: expected 4 x 3 values, found 11"],
    [{ loss: new Float64Array(12).fill(Number.NaN) }, "loss[0][0]: expected a finite loss >= 0, found NaN"],
    [{ atLeastOnce: [4] }, "atLeastOnce: expected different ones of 1, 2, 3"],
    [{ atLeastOnce: [3, 3] }, "atLeastOnce: expected different ones"],
    [{ experts: 0, loss: new Float64Array(0) }, "experts: expected one or more, found 0"],
    [{ budget: 8.5 }, "budget: expected whole bits, found 8.5"],
  ])("refuses %j", async (wrong, message) => {
    const right = { experts: 4, bits: [1, 2, 3], loss: new Float64Array(12), budget: 8, atLeastOnce: [2, 3] };
    const solved = solveHere(bitAllocation, { ...right, ...wrong });
    await expect(solved).rejects.toThrow(InvalidInputError);
    await expect(solved).rejects.toThrow(message);
  });
});
