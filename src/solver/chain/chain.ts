import type { Optimisation } from "../solver.ts";
import { chainBound } from "./chain-bound.ts";
import { chainByDp, dpMisfit } from "./chain-dp.ts";
import { chainByExchanges } from "./chain-local.ts";
import { type ChainProblem, chainObjective, chainProblems, chainViolation } from "./chain-problem.ts";

/** Clusters of each layer onto GPUs so that exchanges between layers are short; [layers][clusters] GPU of each. */
export const chain: Optimisation<ChainProblem, Uint16Array> = {
  name: "chain",
  solvers: {
    dp: {
      name: "dp",
      rule: "exact: dynamic program over the orders of each layer's clusters",
      misfit: dpMisfit,
      solve: chainByDp,
    },
    local: {
      name: "local",
      rule: "exchanges of two clusters of a layer, layer by layer",
      solve: chainByExchanges,
    },
  },
  preferred: (problem) => (dpMisfit(problem) === null ? "dp" : "local"),
  problems: chainProblems,
  objective: chainObjective,
  violation: chainViolation,
  lowerBound: chainBound,
};
