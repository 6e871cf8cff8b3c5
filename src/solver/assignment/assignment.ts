import { byMilp } from "../by-milp.ts";
import type { Optimisation, Solver } from "../solver.ts";
import { assignmentBound } from "./assignment-bound.ts";
import { assignByNeighbourhoods } from "./assignment-lns.ts";
import { assignmentMilp } from "./assignment-milp.ts";
import {
  type AssignmentProblem,
  assignmentObjective,
  assignmentProblems,
  assignmentViolation,
} from "./assignment-problem.ts";
import { assignLongestFirst } from "./longest-first.ts";
import { improveBySwaps } from "./swaps.ts";

const lpt: Solver<AssignmentProblem, Uint16Array> = {
  name: "lpt",
  rule: "heaviest item first into the lightest bin",
  solve: (problem) => ({ solution: assignLongestFirst(problem), bound: -Infinity, cut: false }),
};

const swaps: Solver<AssignmentProblem, Uint16Array> = {
  name: "swaps",
  rule: "heaviest item first, then swaps and moves until none helps",
  solve: (problem) => {
    const solution = assignLongestFirst(problem);
    improveBySwaps(problem, solution);
    return { solution, bound: -Infinity, cut: false };
  },
};

const lns: Solver<AssignmentProblem, Uint16Array> = {
  name: "lns",
  rule: "swaps, then the worst bin and one or two others are filled anew by branch and bound",
  solve: assignByNeighbourhoods,
};

/** Items up to which neighbourhoods take milliseconds; deviations gain most from them (docs/solvers.md). */
const lnsItemsMax = 16;

/** Items with loads into bins, the heaviest as light as possible, or all near their shares; [items] bin of each. */
export const assignment: Optimisation<AssignmentProblem, Uint16Array> = {
  name: "assignment",
  solvers: {
    lpt,
    swaps,
    lns,
    highs: byMilp("highs", "integer program from the swaps' result, by HiGHS", assignmentMilp),
    glpk: byMilp("glpk", "integer program, by GLPK", assignmentMilp),
  },
  preferred: ({ loads, minimise }) => (minimise === "deviations" && loads.length <= lnsItemsMax ? "lns" : "swaps"),
  problems: assignmentProblems,
  objective: assignmentObjective,
  violation: assignmentViolation,
  lowerBound: assignmentBound,
};
