import { describe, expect, test } from "vitest";
import { RandomStream } from "../../src/core/random.ts";
import { assignLongestFirst, binLoads, improveBySwaps } from "../../src/solver/assignment.ts";
import { assignBalanced } from "../../src/solver/balanced-assignment.ts";
import type { MilpProblem, MilpSolver } from "../../src/solver/milp.ts";
import { milpSolvers } from "../../src/solver/milp-solvers.ts";
import { lightestHeaviestBin } from "./brute-force.ts";

const options = { timeLimitS: 10, gap: 1e-6 };

/** A problem with all columns in [0, 10]. */
function problemOf(
  cost: number[],
  integer: boolean,
  rows: { at: number[]; least?: number; most?: number }[],
): MilpProblem {
  const columns = cost.length;
  return {
    columns,
    cost: Float64Array.from(cost),
    lower: new Float64Array(columns),
    upper: new Float64Array(columns).fill(10),
    integer: new Uint8Array(columns).fill(integer ? 1 : 0),
    rows: rows.length,
    rowLower: Float64Array.from(rows, (row) => row.least ?? -Infinity),
    rowUpper: Float64Array.from(rows, (row) => row.most ?? Infinity),
    starts: Int32Array.from({ length: rows.length + 1 }, (_, row) => row * columns),
    indices: Int32Array.from(rows.flatMap((row) => row.at.map((_, column) => column))),
    values: Float64Array.from(rows.flatMap((row) => row.at)),
  };
}

describe.each(Object.entries(milpSolvers))("%s", (_name, solve: MilpSolver) => {
  test("solves a linear problem by hand", async () => {
    // Maximise x + y with x + 2y <= 4 and 3x + y <= 6: x = 1.6, y = 1.2.
    const problem = problemOf([-1, -1], false, [
      { at: [1, 2], most: 4 },
      { at: [3, 1], most: 6 },
    ]);
    const solution = await solve(problem, options);
    if (solution.status !== "optimal") throw new Error(solution.status);
    expect(solution.objective).toBeCloseTo(-2.8, 6);
    expect([...solution.values].map((value) => value.toFixed(4))).toEqual(["1.6000", "1.2000"]);
    expect(solution.bound).toBeCloseTo(-2.8, 4);
  });

  test("solves the same problem in whole numbers, with lower and equal bounds on rows", async () => {
    const problem = problemOf([-1, -1], true, [
      { at: [1, 2], most: 4 },
      { at: [3, 1], most: 6 },
      { at: [0, 1], least: 1 },
    ]);
    const solution = await solve(problem, options);
    if (solution.status !== "optimal") throw new Error(solution.status);
    expect(solution.objective).toBeCloseTo(-2, 6);
    const fixed = await solve(problemOf([1, 1], true, [{ at: [1, 2], least: 7, most: 7 }]), options);
    if (fixed.status !== "optimal") throw new Error(fixed.status);
    expect([...fixed.values].map(Math.round)).toEqual([1, 3]);
  });

  test("says when there is no solution", async () => {
    const problem = problemOf([1], true, [
      { at: [1], least: 3 },
      { at: [1], most: 2 },
    ]);
    expect(await solve(problem, options)).toEqual({ status: "infeasible" });
  });

  test("agrees with brute force on tiny assignments", async () => {
    const random = new RandomStream(3, "tiny assignments");
    for (let instance = 0; instance < 8; instance++) {
      const bins = 2 + random.below(2);
      const loads = Array.from({ length: 2 * bins + random.below(3) }, () => 1 + random.below(60));
      const problem = { loads, bins, binItemsMax: Math.ceil(loads.length / bins) };
      const result = await assignBalanced(problem, solve, { timeLimitS: 10, gap: 0 });
      expect(result.objective).toBe(lightestHeaviestBin(problem));
      expect(result.objective).toBe(Math.max(...binLoads(problem, result.binOf)));
      expect(result.bound).toBeLessThanOrEqual(result.objective + 1e-6);
    }
  });
});

/** An assignment where no single swap helps although a better one exists. */
const hard = findHard();

function findHard() {
  const random = new RandomStream(11, "hard assignments");
  for (;;) {
    const loads = Array.from({ length: 9 }, () => 5 + random.below(40));
    const problem = { loads, bins: 3, binItemsMax: 3 };
    const local = improveBySwaps(problem, assignLongestFirst(problem));
    if (local > lightestHeaviestBin(problem)) return { problem, local };
  }
}

test.each(Object.entries(milpSolvers))(
  "%s improves on a local search that is stuck",
  async (_name, solve: MilpSolver) => {
    const result = await assignBalanced(hard.problem, solve, { timeLimitS: 10, gap: 0 });
    expect(result.objective).toBe(lightestHeaviestBin(hard.problem));
    expect(result.objective).toBeLessThan(hard.local);
    expect(result).toMatchObject({ from: "solver", solved: true });
    expect(result.gap).toBeLessThan(1e-6);
  },
);

test("the solver is not asked when local search is within the gap", async () => {
  const refuses: MilpSolver = () => Promise.reject(new Error("asked"));
  const problem = { loads: [100, 3, 2, 1], bins: 2, binItemsMax: 2 };
  const result = await assignBalanced(problem, refuses, { timeLimitS: 1, gap: 0 });
  expect(result).toMatchObject({ objective: 101, bound: 101, gap: 0, from: "local-search", solved: false });
});

test("local search stands in, with its gap, when the solver finds nothing in time", async () => {
  const nothing: MilpSolver = () => Promise.resolve({ status: "limit" });
  const result = await assignBalanced(hard.problem, nothing, { timeLimitS: 1, gap: 0 });
  expect(result).toMatchObject({ objective: hard.local, from: "local-search", solved: true });
  expect(result.gap).toBeGreaterThan(0);
});

test("a solver that does not improve on its start leaves the local search, with the solver's bound", async () => {
  const proves: MilpSolver = (_problem, { start = new Float64Array() }) =>
    Promise.resolve({ status: "optimal", values: start, objective: hard.local, bound: hard.local - 0.25 });
  const result = await assignBalanced(hard.problem, proves, { timeLimitS: 1, gap: 0 });
  expect(result).toMatchObject({ objective: hard.local, bound: hard.local - 0.25, from: "local-search", solved: true });
});

test("highs starts from the local search, so it is never worse when time is short", async () => {
  const random = new RandomStream(5, "start");
  const loads = Float64Array.from({ length: 64 }, () => Math.round(1000 * Math.exp(0.7 * random.normal())));
  const problem = { loads, bins: 8, binItemsMax: 8 };
  const local = improveBySwaps(problem, assignLongestFirst(problem));
  const result = await assignBalanced(problem, milpSolvers.highs, { timeLimitS: 1, gap: 0 });
  expect(result.objective).toBeLessThanOrEqual(local);
  expect(result.bound).toBeLessThanOrEqual(result.objective);
});
