import { expect, test } from "vitest";
import { RandomStream } from "../../../src/core/random.ts";
import { assignmentBound } from "../../../src/solver/assignment/assignment-bound.ts";
import { type AssignmentProblem, assignmentObjective } from "../../../src/solver/assignment/assignment-problem.ts";
import { drawn } from "../../drawn.ts";

/** Least deviations over all assignments of at least and at most so many items to a bin. */
function leastDeviations(problem: AssignmentProblem): number {
  const { loads, bins, binItemsMin = 0 } = problem;
  const most = problem.binItemsMax as number;
  const binOf = new Uint16Array(loads.length);
  const held = new Uint16Array(bins);
  let best = Infinity;
  const place = (item: number): void => {
    if (item === loads.length) {
      if (held.every((items) => items >= binItemsMin)) best = Math.min(best, assignmentObjective(problem, binOf));
      return;
    }
    for (let bin = 0; bin < bins; bin++) {
      if (held[bin]! === most) continue;
      held[bin]! += 1;
      binOf[item] = bin;
      place(item + 1);
      held[bin]! -= 1;
    }
  };
  place(0);
  return best;
}

test("the bound of deviations is never above the optimum, and reaches it where single items are hotter than a mean bin", () => {
  const random = new RandomStream(1, "deviations bound");
  let reached = 0;
  for (let turn = 0; turn < drawn(60); turn++) {
    const each = 1 + random.below(2);
    const free = random.below(2) === 0;
    const problem: AssignmentProblem = {
      // Heavy tails, so that several items are hot.
      loads: Array.from({ length: 3 * each }, () => (1 + random.below(8)) * (random.below(3) === 0 ? 20 : 1)),
      bins: 3,
      binItemsMax: free ? 3 * each : each,
      binItemsMin: free ? 1 : each,
      minimise: "deviations",
    };
    const optimum = leastDeviations(problem);
    const bound = assignmentBound(problem);
    expect(bound).toBeLessThanOrEqual(optimum + 1e-9);
    if (bound > optimum - 1e-6) reached += 1;
  }
  expect(reached / drawn(60)).toBeGreaterThan(0.5);
});
