import type { Optimisation, Solver } from "../solver.ts";
import { chainBound } from "./chain-bound.ts";
import { chainByDp, dpMisfit } from "./chain-dp.ts";
import { chainByNeighbourhoods } from "./chain-lns.ts";
import { chainByExchanges } from "./chain-local.ts";
import { type ChainProblem, chainObjective, chainProblems, chainViolation } from "./chain-problem.ts";

const dp: Solver<ChainProblem, Uint16Array> = {
  name: "dp",
  rule: "exact dynamic program over the orders of each layer's clusters, up to symmetries of the topology",
  misfit: dpMisfit,
  solve: chainByDp,
};

const lns: Solver<ChainProblem, Uint16Array> = {
  name: "lns",
  rule: "two GPUs at a time exchange clusters in the layers where it helps, found exactly over all layers",
  solve: chainByNeighbourhoods,
};

const local: Solver<ChainProblem, Uint16Array> = {
  name: "local",
  rule: "exchanges of two clusters of a layer, layer by layer",
  solve: chainByExchanges,
};

/** Clusters of experts onto GPUs over layers (MoETuner's second program); [layers][gpus] GPU of each cluster. */
export const chain: Optimisation<ChainProblem, Uint16Array> = {
  name: "chain",
  solvers: { dp, local, lns },
  preferred: (problem) => (dpMisfit(problem) === null ? "dp" : "lns"),
  problems: chainProblems,
  objective: chainObjective,
  violation: chainViolation,
  lowerBound: chainBound,
};
