import { byMilp } from "../by-milp.ts";
import type { Optimisation, Solver } from "../solver.ts";
import { partitionByHalves } from "./bipartition.ts";
import { partitionBound } from "./partition-bound.ts";
import { partitionByNeighbourhoods } from "./partition-lns.ts";
import { partitionMilp } from "./partition-milp.ts";
import {
  type PartitionProblem,
  partitionObjective,
  partitionProblems,
  partitionViolation,
} from "./partition-problem.ts";
import { partitionBySweeps } from "./sweeps.ts";

const sweeps: Solver<PartitionProblem, Uint16Array> = {
  name: "sweeps",
  rule: "each layer placed exactly for its neighbours, there and back, from several starts",
  solve: partitionBySweeps,
};

const bipartition: Solver<PartitionProblem, Uint16Array> = {
  name: "bipartition",
  rule: "ranks halved again and again, sweeps at every level and over all at the end",
  solve: partitionByHalves,
};

const lns: Solver<PartitionProblem, Uint16Array> = {
  name: "lns",
  rule: "the better of sweeps and bipartition, then stretches of layers placed anew",
  solve: partitionByNeighbourhoods,
};

/** Pairs of items for which neighbourhoods take about a second (docs/solvers.md). */
const pairsMax = 200_000;

/** Items of each layer into parts with little traffic between them (ExFlow); [layers][items] part of each item. */
export const partition: Optimisation<PartitionProblem, Uint16Array> = {
  name: "partition",
  solvers: {
    sweeps,
    bipartition,
    lns,
    highs: byMilp("highs", "integer program of pair counts, from the sweeps' result, by HiGHS", partitionMilp),
    glpk: byMilp("glpk", "integer program of pair counts, by GLPK", partitionMilp),
  },
  preferred: ({ traffic }) => (traffic.length <= pairsMax ? "lns" : "sweeps"),
  problems: partitionProblems,
  objective: partitionObjective,
  violation: partitionViolation,
  lowerBound: partitionBound,
};
