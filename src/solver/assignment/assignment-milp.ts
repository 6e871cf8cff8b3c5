import type { MilpForm } from "../by-milp.ts";
import { chosenIn, MilpBuilder } from "../milp-builder.ts";
import { assignmentBound } from "./assignment-bound.ts";
import {
  type AssignmentProblem,
  assignmentObjective,
  binLoads,
  binShares,
  capOf,
  speedOf,
} from "./assignment-problem.ts";
import { assignLongestFirst } from "./longest-first.ts";
import { improveBySwaps } from "./swaps.ts";

/**
 * Columns x[item, bin] at item x bins + bin, then the load M of the heaviest bin, or the deviations above and below the share of each bin.
 * Branch and bound alone is poor at this problem, as exchanging two bins changes nothing; a start and M >= bound are what
 * make it useful.
 */
export const assignmentMilp: MilpForm<AssignmentProblem, Uint16Array> = {
  size: { columnsMax: 20_000, columns: ({ loads, bins }) => loads.length * bins + 1 },
  milp: (problem) => {
    const { loads, bins, binItemsMin = 0, groupOf } = problem;
    const items = loads.length;
    const deviations = problem.minimise === "deviations";
    const shares = binShares(problem);
    const milp = new MilpBuilder();
    for (let column = 0; column < items * bins; column++) milp.binary();
    const bound = assignmentBound(problem);
    if (!deviations) milp.real(1, bound, Infinity);
    else for (let side = 0; side < 2 * bins; side++) milp.real(1, 0, Infinity);
    for (let item = 0; item < items; item++) {
      for (let bin = 0; bin < bins; bin++) milp.term(item * bins + bin, 1);
      milp.row(1, 1);
    }
    for (let bin = 0; bin < bins; bin++) {
      for (let item = 0; item < items; item++) milp.term(item * bins + bin, 1);
      milp.row(binItemsMin, capOf(problem, bin));
    }
    for (let bin = 0; bin < bins; bin++) {
      for (let item = 0; item < items; item++) if (loads[item] !== 0) milp.term(item * bins + bin, loads[item]!);
      if (deviations) {
        milp.term(items * bins + 2 * bin, -1);
        milp.term(items * bins + 2 * bin + 1, 1);
        milp.row(shares[bin]!, shares[bin]!);
      } else {
        milp.term(items * bins, -speedOf(problem, bin));
        milp.row(-Infinity, 0);
      }
    }
    for (const group of groupsOf(groupOf, items))
      for (let bin = 0; bin < bins; bin++) {
        for (const item of group) milp.term(item * bins + bin, 1);
        milp.row(0, 1);
      }
    return milp.build();
  },
  solution: ({ loads, bins }, values) => chosenIn(values, loads.length, bins),
  start: (problem) => {
    const { bins, loads } = problem;
    const binOf = assignLongestFirst(problem);
    improveBySwaps(problem, binOf);
    const items = loads.length;
    const deviations = problem.minimise === "deviations";
    const values = new Float64Array(items * bins + (deviations ? 2 * bins : 1));
    for (let item = 0; item < items; item++) values[item * bins + binOf[item]!] = 1;
    if (!deviations) {
      values[items * bins] = assignmentObjective(problem, binOf);
      return values;
    }
    const shares = binShares(problem);
    for (const [bin, load] of binLoads(problem, binOf).entries()) {
      values[items * bins + 2 * bin] = Math.max(0, load - shares[bin]!);
      values[items * bins + 2 * bin + 1] = Math.max(0, shares[bin]! - load);
    }
    return values;
  },
};

/** Items of each group that has several. */
function groupsOf(groupOf: ArrayLike<number> | undefined, items: number): number[][] {
  if (groupOf === undefined) return [];
  const members = new Map<number, number[]>();
  for (let item = 0; item < items; item++) members.set(groupOf[item]!, [...(members.get(groupOf[item]!) ?? []), item]);
  return [...members.values()].filter((group) => group.length > 1);
}
