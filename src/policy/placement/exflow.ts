import { z } from "zod";
import { defaultsOf } from "../../core/parameters.ts";
import { partition } from "../../solver/partition/partition.ts";
import type { PartitionProblem } from "../../solver/partition/partition-problem.ts";
import { partitionBySweeps } from "../../solver/partition/sweeps.ts";
import { defaultLimits } from "../../solver/solver.ts";
import { groupByAffinity } from "./affinity-groups.ts";
import { partitionProblem } from "./cross-traffic.ts";
import type { Placement, PlacementInput, PlacementPolicy } from "./placement.ts";
import { checkPlacementInput, placementFromRanks } from "./placement-input.ts";
import { evenCounts, rankRooms } from "./rank-rooms.ts";

const parameters = {
  solver: z
    .enum(Object.keys(partition.solvers) as [string, ...string[]])
    .optional()
    .describe("Solver of its program; default by its size."),
  starts: z.int().min(1).max(1000).default(4).describe("Placements that sweeps start from: the best one is taken."),
  timeLimitS: z
    .number()
    .positive()
    .max(86400)
    .default(defaultLimits.timeLimitS)
    .describe("Limit for solvers that need a clock, s."),
};

/**
 * Expert affinity of ExFlow (IPDPS'24): equally many experts on each rank, so that few tokens change the rank from one layer to the
 * next. The objective needs counts of expert pairs alone, with the distance between ranks as a weight. Sweeps start from groups of
 * experts that send to the same ones, contiguous blocks, and drawn placements; recursive halving is there too. Left out: the soft variant
 * of the published program, its warm start of 5,000 tokens, and the second exchange that ExFlow saves.
 */
export const exflow: PlacementPolicy<typeof parameters> = {
  name: "exflow",
  rule: "ExFlow: few tokens change the rank between layers",
  parameters,
  needs: ["transitions"],
  makesCopies: false,
  place: async (input, { solver, starts, timeLimitS } = defaultsOf(parameters), tools) => {
    checkPlacementInput(input);
    const answer = await tools.solve(partition, affinityProblem(input, starts), {
      ...(solver === undefined ? {} : { solver }),
      timeLimitS,
      seed: input.seed ?? 0,
    });
    const { solution, ...proof } = answer;
    tools.prove({ problem: "tokens between ranks, by distance", ...proof });
    return fromSolution(input, solution);
  },
};

/** What one start of sweeps gives, at once: for searches that start from it. */
export const affinityStart = (input: PlacementInput): Placement =>
  fromSolution(input, partitionBySweeps(affinityProblem(input, 1), { seed: input.seed ?? 0 }).solution!);

const fromSolution = (input: PlacementInput, rankOf: Uint16Array): Placement =>
  placementFromRanks(input, (layer) => rankOf.subarray(layer * input.experts, (layer + 1) * input.experts));

function affinityProblem(input: PlacementInput, starts: number): PartitionProblem {
  const rooms = roomsInUse(input);
  const first = rooms.subarray(0, input.ranks);
  const start = groupByAffinity(sameTargets(input), { least: first, most: first });
  return { ...partitionProblem(input, rooms), start: Uint16Array.from(start), starts };
}

/** [layers][ranks] experts on each rank: equally many, as its room allows. */
function roomsInUse(input: PlacementInput): Uint16Array {
  const { layers, ranks, experts } = input;
  const rooms = rankRooms(input);
  const counts = new Uint16Array(layers * ranks);
  for (let layer = 0; layer < layers; layer++)
    counts.set(evenCounts(rooms.subarray(layer * ranks, (layer + 1) * ranks), experts), layer * ranks);
  return counts;
}

/** [experts][experts] how alike two experts of the first layer send: the product of their counts, summed over targets. */
function sameTargets({ experts, transitions }: PlacementInput): Float64Array {
  const out = new Float64Array(experts * experts);
  if (transitions === undefined || transitions.length === 0) return out;
  for (let a = 0; a < experts; a++)
    for (let b = 0; b < a; b++) {
      let sum = 0;
      for (let to = 0; to < experts; to++) sum += transitions[a * experts + to]! * transitions[b * experts + to]!;
      out[a * experts + b] = out[b * experts + a] = sum;
    }
  return out;
}
