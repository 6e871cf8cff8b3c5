import { byMilp } from "../by-milp.ts";
import type { Optimisation, Solver } from "../solver.ts";
import { chainBound } from "./chain-bound.ts";
import { chainByDp, dpMisfit } from "./chain-dp.ts";
import { chainByNeighbourhoods } from "./chain-lns.ts";
import { chainByExchanges } from "./chain-local.ts";
import { chainMilp } from "./chain-milp.ts";
import { type ChainProblem, chainObjective, chainProblems, chainViolation } from "./chain-problem.ts";
import { chainBySweeps } from "./chain-sweeps.ts";

const dp: Solver<ChainProblem, Uint16Array> = {
  name: "dp",
  rule: "exact dynamic program over the orders of each layer's clusters, up to symmetries of the topology",
  misfit: dpMisfit,
  solve: chainByDp,
};

const lns: Solver<ChainProblem, Uint16Array> = {
  name: "lns",
  rule: "sweeps, then two GPUs at a time exchange clusters in the layers where it helps, found exactly over all layers, again from changed chains",
  solve: chainByNeighbourhoods,
};

const local: Solver<ChainProblem, Uint16Array> = {
  name: "local",
  rule: "exchanges of two clusters of a layer, layer by layer, from clusters in order",
  solve: chainByExchanges,
};

const sweeps: Solver<ChainProblem, Uint16Array> = {
  name: "sweeps",
  rule: "each layer placed exactly for its neighbours, there and back, then exchanges of two clusters",
  solve: chainBySweeps,
};

/** Clusters of experts onto GPUs over layers (MoETuner's second program); [layers][gpus] GPU of each cluster. */
export const chain: Optimisation<ChainProblem, Uint16Array> = {
  name: "chain",
  solvers: {
    dp,
    local,
    sweeps,
    lns,
    highs: byMilp("highs", "MoETuner's integer program made linear, from the sweeps' result, by HiGHS", chainMilp),
    glpk: byMilp("glpk", "MoETuner's integer program made linear, by GLPK", chainMilp),
  },
  preferred: (problem) => (dpMisfit(problem) === null ? "dp" : "lns"),
  problems: chainProblems,
  objective: chainObjective,
  violation: chainViolation,
  lowerBound: chainBound,
};
