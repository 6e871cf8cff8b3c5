import { byMilp } from "../by-milp.ts";
import type { Optimisation } from "../solver.ts";
import { bitMilp } from "./bit-milp.ts";
import { type BitChoice, type BitProblem, bitProblems, bitViolation, freeLoss, lossOf } from "./bit-problem.ts";
import { byBudget } from "./by-budget.ts";

/** Bits for the experts of a layer: see {@link BitProblem}. The dynamic program is exact and quick at every size that it takes. */
export const bitAllocation: Optimisation<BitProblem, BitChoice> = {
  name: "bit allocation",
  solvers: {
    dp: byBudget,
    highs: byMilp("highs", "HiGHS on the integer program.", bitMilp),
    glpk: byMilp("glpk", "GLPK on the integer program.", bitMilp),
  },
  preferred: () => "dp",
  problems: bitProblems,
  objective: lossOf,
  violation: bitViolation,
  lowerBound: freeLoss,
};
