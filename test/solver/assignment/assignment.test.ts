import { describe, expect, test } from "vitest";
import { RandomStream } from "../../../src/core/random.ts";
import { assignment } from "../../../src/solver/assignment/assignment.ts";
import { assignmentBound } from "../../../src/solver/assignment/assignment-bound.ts";
import {
  type AssignmentProblem,
  assignmentObjective,
  assignmentViolation,
} from "../../../src/solver/assignment/assignment-problem.ts";
import { assignLongestFirst } from "../../../src/solver/assignment/longest-first.ts";
import { improveBySwaps } from "../../../src/solver/assignment/swaps.ts";
import { solveHere } from "../../../src/solver/solver.ts";
import { drawn, everyOther } from "../../drawn.ts";

/** Small problems with limits, speeds, groups, least items and either objective, that have a solution. */
function anyProblem(seed: number): AssignmentProblem {
  const random = new RandomStream(seed, "assignment");
  for (;;) {
    const bins = 2 + random.below(2);
    const items = bins + random.below(5);
    const grouped = random.below(3) === 0;
    const problem: AssignmentProblem = {
      loads: Array.from({ length: items }, () => random.below(60)),
      bins,
      binItemsMax: Array.from({ length: bins }, () => 1 + random.below(items)),
      ...(random.below(2) === 0 ? { binSpeed: Array.from({ length: bins }, () => 1 + random.below(3)) } : {}),
      ...(grouped ? { groupOf: Array.from({ length: items }, () => random.below(items)) } : {}),
      ...(!grouped && random.below(2) === 0 ? { binItemsMin: 1 } : {}),
      ...(random.below(2) === 0 ? { minimise: "deviations" } : {}),
    };
    if (bruteForce(problem) < Infinity) return problem;
  }
}

/** The smallest objective of all assignments; Infinity where none keeps the limits. */
function bruteForce(problem: AssignmentProblem): number {
  const binOf = new Uint16Array(problem.loads.length);
  let best = Infinity;
  const place = (item: number): void => {
    if (item < binOf.length) {
      for (let bin = 0; bin < problem.bins; bin++) {
        binOf[item] = bin;
        place(item + 1);
      }
    } else if (assignmentViolation(problem, binOf) === null) best = Math.min(best, assignmentObjective(problem, binOf));
  };
  place(0);
  return best;
}

const small = Array.from({ length: drawn(60) }, (_, seed) => {
  const problem = anyProblem(seed);
  return { seed, problem, optimum: bruteForce(problem) };
});

test.each(["lpt", "swaps", "lns"])(
  "%s keeps the limits, is never below the optimum nor its bound above",
  async (solver) => {
    for (const { problem, optimum } of small) {
      const answer = await solveHere(assignment, problem, { solver });
      expect(answer.objective).toBeGreaterThanOrEqual(optimum - 1e-9);
      expect(answer.bound).toBeLessThanOrEqual(optimum + 1e-9);
      if (answer.proved) expect(answer.objective).toBeCloseTo(optimum, 2);
    }
  },
);

test.each(["highs", "glpk"])("%s finds the optimum", async (solver) => {
  for (const { problem, optimum } of everyOther(small.slice(0, drawn(24)))) {
    const answer = await solveHere(assignment, problem, { solver, gap: 0 });
    expect(answer.objective).toBeCloseTo(optimum, 6);
    expect(answer.bound).toBeLessThanOrEqual(optimum + 1e-6);
  }
});

test("a problem is refused exactly where no assignment keeps its limits", () => {
  const random = new RandomStream(1, "limits");
  const refused = { yes: 0, no: 0 };
  for (let instance = 0; instance < drawn(200); instance++) {
    const bins = 1 + random.below(3);
    const items = 1 + random.below(5);
    const problem: AssignmentProblem = {
      loads: Array.from({ length: items }, () => random.below(9)),
      bins,
      binItemsMax: Array.from({ length: bins }, () => random.below(4)),
      groupOf: Array.from({ length: items }, () => random.below(3)),
    };
    const infeasible = assignment.problems(problem).length > 0;
    expect(infeasible).toBe(bruteForce(problem) === Infinity);
    refused[infeasible ? "yes" : "no"] += 1;
    if (!infeasible) expect(assignmentViolation(problem, assignLongestFirst(problem))).toBeNull();
  }
  expect(Math.min(refused.yes, refused.no)).toBeGreaterThan(5);
});

describe("problems", () => {
  test("limits that cannot hold the items, bad loads and speeds are refused with place and value", async () => {
    const problem = { loads: [1, -2, 3], bins: 2, binItemsMax: 1, binSpeed: [1, 0] };
    await expect(solveHere(assignment, problem)).rejects.toThrow(
      /loads\[1\]: expected a load, at least 0, found -2\nbinSpeed\[1\]: expected a speed above 0, found 0\nbinItemsMax: expected room for 3 items, found 2/,
    );
  });

  test("three copies of an expert on two ranks are refused where ranks hold no twins", async () => {
    const problem = { loads: [1, 1, 1], bins: 2, binItemsMax: 3, groupOf: [0, 0, 0] };
    await expect(solveHere(assignment, problem)).rejects.toThrow(
      /groupOf: expected groups whose items fit 2 bins.*found 3/,
    );
  });
});

test("refilled bins improve on swaps that are stuck, to the optimum", async () => {
  const stuck = Array.from({ length: 400 }, (_, seed) => {
    const random = new RandomStream(seed, "stuck");
    return { loads: Array.from({ length: 9 }, () => 5 + random.below(40)), bins: 3, binItemsMax: 3 };
  });
  let [better, optimal] = [0, 0];
  for (const problem of stuck.slice(0, drawn(100))) {
    const swapped = improveBySwaps(problem, assignLongestFirst(problem));
    const answer = await solveHere(assignment, problem, { solver: "lns" });
    expect(answer.objective).toBeLessThanOrEqual(swapped);
    if (answer.objective < swapped) better += 1;
    if (answer.objective === bruteForce(problem)) optimal += 1;
  }
  expect(better).toBeGreaterThan(0);
  expect(optimal).toBe(drawn(100));
});

test("a faster rank gets as much more load", async () => {
  const loads = Array.from({ length: 60 }, (_, item) => 10 + (item % 7));
  const answer = await solveHere(assignment, { loads, bins: 3, binItemsMax: 60, binSpeed: [1, 2, 3] });
  expect(answer.gap).toBeLessThan(0.01);
});

test("highs is never worse than the swaps that it starts from, when time is short", async () => {
  const random = new RandomStream(5, "start");
  const loads = Float64Array.from({ length: 64 }, () => Math.round(1000 * Math.exp(0.7 * random.normal())));
  const problem = { loads, bins: 8, binItemsMax: 8 };
  const local = improveBySwaps(problem, assignLongestFirst(problem));
  const answer = await solveHere(assignment, problem, { solver: "highs", timeLimitS: 0.3, gap: 0 });
  expect(answer.objective).toBeLessThanOrEqual(local);
  expect(answer.bound).toBeGreaterThanOrEqual(assignmentBound(problem) - 1e-6);
});
