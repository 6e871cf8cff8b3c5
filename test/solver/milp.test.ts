import { describe, expect, test } from "vitest";
import type { MilpProblem, MilpSolver } from "../../src/solver/milp.ts";
import { milpSolvers } from "../../src/solver/milp-solvers.ts";

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
});
