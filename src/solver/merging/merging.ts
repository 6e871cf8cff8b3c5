import { byMilp } from "../by-milp.ts";
import type { Optimisation } from "../solver.ts";
import { byLikeness } from "./by-likeness.ts";
import { byTransport } from "./by-transport.ts";
import { mergingMilp } from "./merging-milp.ts";
import {
  likenessLost,
  type Merging,
  type MergingProblem,
  mergingProblems,
  mergingViolation,
} from "./merging-problem.ts";

/** Which experts of a layer join which: see {@link MergingProblem}. The transport is exact and quick at every size. */
export const merging: Optimisation<MergingProblem, Merging> = {
  name: "merging",
  solvers: {
    transport: byTransport,
    greedy: byLikeness,
    highs: byMilp("highs", "HiGHS on the integer program. Exact.", mergingMilp),
    glpk: byMilp("glpk", "GLPK on the integer program. Exact.", mergingMilp),
  },
  preferred: () => "transport",
  problems: mergingProblems,
  objective: likenessLost,
  violation: mergingViolation,
  lowerBound: () => 0,
};
