import { z } from "zod";
import { InvalidInputError } from "../../core/errors.ts";
import { defaultsOf, type ParameterValues } from "../../core/parameters.ts";
import { assignment } from "../../solver/assignment/assignment.ts";
import { type AssignmentProblem, assignmentObjective } from "../../solver/assignment/assignment-problem.ts";
import { chain } from "../../solver/chain/chain.ts";
import type { ChainProblem } from "../../solver/chain/chain-problem.ts";
import { reachableItemsMax } from "../../solver/chain/chain-start.ts";
import { type Answer, defaultLimits } from "../../solver/solver.ts";
import { distanceOf } from "./cross-traffic.ts";
import type { PlacementInput, PlacementPolicy, PlacementTools } from "./placement.ts";
import { checkPlacementInput, layerLoads, placementFromRanks } from "./placement-input.ts";
import { rankRooms } from "./rank-rooms.ts";

const nameOf = (table: Readonly<Record<string, unknown>>) => z.enum(Object.keys(table) as [string, ...string[]]);

const parameters = {
  solver: nameOf(chain.solvers)
    .optional()
    .describe("Solver of the second program, clusters onto ranks; default by its size."),
  clusters: nameOf(assignment.solvers)
    .optional()
    .describe("Solver of the first program, experts into clusters; default by its size."),
  sizes: z
    .enum(["equal", "free"])
    .default("equal")
    .describe("Equally many experts in each cluster of a layer, or as balance asks for within the places of a rank."),
  exchange: z
    .enum(["bottleneck", "sum"])
    .default("bottleneck")
    .describe("Slowest link between two layers, as published, or the sum over links."),
  timeLimitS: z
    .number()
    .positive()
    .max(86400)
    .default(defaultLimits.timeLimitS)
    .describe("Limit of each program for solvers that need a clock, s."),
  gap: z
    .number()
    .min(0)
    .max(1)
    .default(defaultLimits.gap)
    .describe("Gap to the bound at which a program counts as solved."),
};
type Values = ParameterValues<typeof parameters>;

/**
 * MoETuner (arXiv 2502.06643): the experts of each layer become as many clusters as there are ranks, of loads as equal as can be (its
 * first program); then a cluster of each layer goes to each rank, so that the slowest exchange between two layers, summed over the
 * layers, is short (the second). All ranks hold the same number of experts over all layers, or as many as their memory allows.
 * With more than one expert a token, every pair of its experts in consecutive layers counts. Published with Gurobi and a gap of 2.5 %.
 */
export const moetuner: PlacementPolicy<typeof parameters> = {
  name: "moetuner",
  rule: "MoETuner: clusters of equal load, then clusters onto ranks for short exchanges",
  parameters,
  needs: ["loads", "transitions"],
  makesCopies: false,
  unequalCounts: true,
  place: async (input, values = defaultsOf(parameters), tools) => {
    checkPlacementInput(input);
    const limits = limitsOf(input);
    const clusterOf = await clusterLayers(input, limits.cap, values, tools);
    const problem = chainProblem(input, clusterOf, limits.total, values);
    const answer = await tools.solve(chain, problem, {
      ...(values.solver === undefined ? {} : { solver: values.solver }),
      timeLimitS: values.timeLimitS,
      gap: values.gap,
      seed: input.seed ?? 0,
    });
    const mean = Math.ceil((input.layers * input.experts) / input.ranks);
    const { gpuItemsMax: limit = mean } = problem;
    const looser = limit > mean ? `, at most ${limit} experts on a rank, as ${mean} were not reached` : "";
    const what = values.exchange === "bottleneck" ? "slowest link of each exchange" : "tokens over links by distance";
    const { objective, bound, gap, proved, solver, cut } = answer;
    tools.prove({
      problem: `MoETuner's second program, ${what}${limits.total === null ? looser : ""}`,
      objective,
      bound,
      gap,
      proved,
      solver,
      cut,
    });
    const { experts, ranks } = input;
    return placementFromRanks(input, (layer) =>
      clusterOf[layer]!.slice(0, experts).map((cluster) => answer.solution[layer * ranks + cluster]!),
    );
  },
};

/** Experts that any rank may hold in each layer, and over all layers: a cluster may come to every rank. */
function limitsOf(input: PlacementInput): { readonly cap: readonly number[]; readonly total: number | null } {
  const { layers, ranks, experts, rankSpeed, rankCopiesTotal } = input;
  if (rankSpeed?.some((speed) => speed !== rankSpeed[0]))
    throw new InvalidInputError([
      {
        at: "placement.rankSpeed",
        expected: "ranks of one speed for moetuner, whose clusters may come to any",
        found: [...rankSpeed],
      },
    ]);
  const { rankCopiesTotal: _overAllLayers, ...ofALayer } = input;
  const rooms = rankRooms(ofALayer);
  const cap = Array.from({ length: layers }, (_, layer) =>
    rooms.subarray(layer * ranks, (layer + 1) * ranks).reduce((least, room) => Math.min(least, room), 0xffff),
  );
  const total =
    rankCopiesTotal === undefined ? null : rankCopiesTotal.reduce((least, of) => Math.min(least, of), 0xffffffff);
  const few = cap.findIndex((room) => room * ranks < experts);
  if (few >= 0)
    throw new InvalidInputError([
      {
        at: "placement.rankCopiesMax",
        expected: `${Math.ceil(experts / ranks)} experts of a layer on every rank for moetuner, whose clusters may come to any`,
        found: cap[few],
      },
    ]);
  rankRooms(input);
  return { cap, total };
}

/** [layers][experts] cluster of each expert, by the first program. */
async function clusterLayers(
  input: PlacementInput,
  cap: readonly number[],
  values: Values,
  tools: PlacementTools,
): Promise<Uint16Array[]> {
  const { experts, ranks } = input;
  const out: Uint16Array[] = [];
  const answers: Answer<Uint16Array>[] = [];
  for (let layer = 0; layer < input.layers; layer++) {
    const least = Math.floor(experts / ranks);
    const problem: AssignmentProblem = {
      loads: layerLoads(input, layer),
      bins: ranks,
      binItemsMax: values.sizes === "equal" ? Math.ceil(experts / ranks) : cap[layer]!,
      binItemsMin: values.sizes === "equal" ? least : Math.min(1, least),
      minimise: "deviations",
    };
    const answer = await tools.solve(assignment, problem, {
      ...(values.clusters === undefined ? {} : { solver: values.clusters }),
      timeLimitS: values.timeLimitS,
      gap: values.gap,
      seed: input.seed ?? 0,
    });
    // Local search knows no better than where it ends; dealing experts out in turn is a solution too.
    const inTurn = Uint16Array.from({ length: experts }, (_, expert) => expert % ranks);
    const dealt = assignmentObjective(problem, inTurn);
    out.push(dealt < answer.objective ? inTurn : answer.solution);
    answers.push({ ...answer, objective: Math.min(dealt, answer.objective) });
  }
  const sum = (of: (answer: Answer<Uint16Array>) => number) => answers.reduce((total, answer) => total + of(answer), 0);
  const [objective, bound] = [sum((of) => of.objective), sum((of) => of.bound)];
  const gap = objective === bound ? 0 : (objective - bound) / objective;
  tools.prove({
    problem: "MoETuner's first program, deviations of the clusters' loads",
    objective,
    bound,
    gap,
    proved: gap <= values.gap,
    solver: [...new Set(answers.map(({ solver }) => solver))].join(", "),
    cut: answers.some(({ cut }) => cut),
  });
  return out;
}

/** The second program: tokens between clusters, and their sizes where these differ. */
function chainProblem(
  input: PlacementInput,
  clusterOf: readonly Uint16Array[],
  total: number | null,
  { exchange }: Values,
): ChainProblem {
  const { layers, experts, ranks, transitions = new Float64Array() } = input;
  const traffic = new Float64Array((layers - 1) * ranks * ranks);
  for (let layer = 0; layer + 1 < layers; layer++)
    for (let from = 0; from < experts; from++) {
      const row = (layer * ranks + clusterOf[layer]![from]!) * ranks;
      const base = (layer * experts + from) * experts;
      for (let to = 0; to < experts; to++) traffic[row + clusterOf[layer + 1]![to]!]! += transitions[base + to]!;
    }
  const clusterItems = new Uint16Array(layers * ranks);
  for (const [layer, clusters] of clusterOf.entries())
    for (const cluster of clusters) clusterItems[layer * ranks + cluster]! += 1;
  const even = clusterItems.every((items) => items * ranks === experts);
  const problem: ChainProblem = { layers, gpus: ranks, traffic, distance: distanceOf(input), minimise: exchange };
  if (even) return problem;
  const mean = Math.ceil((layers * experts) / ranks);
  // Clusters of unequal sizes may not allow the same number on every rank; then as near to it as evening out comes.
  return {
    ...problem,
    clusterItems,
    gpuItemsMax: total ?? reachableItemsMax({ ...problem, clusterItems, gpuItemsMax: mean }),
  };
}
