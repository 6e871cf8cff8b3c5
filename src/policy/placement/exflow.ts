import { z } from "zod";
import { defaultsOf } from "../../core/parameters.ts";
import { RandomStream } from "../../core/random.ts";
import { assignToRooms } from "../../solver/transport.ts";
import { groupByAffinity } from "./affinity-groups.ts";
import { crossTraffic, crossTrafficBound, distanceOf } from "./cross-traffic.ts";
import type { PlacementInput, PlacementPolicy } from "./placement.ts";
import { checkPlacementInput, placementFromRanks } from "./placement-input.ts";
import { dealOut, drawnOrder, evenCounts, inOrder, rankRooms } from "./rank-rooms.ts";

const parameters = {
  starts: z
    .int()
    .min(1)
    .max(1000)
    .default(4)
    .describe("Placements that the search starts from: the best one is taken."),
};

/**
 * Expert affinity of ExFlow (IPDPS'24): equally many experts on each rank, so that few tokens change the rank from one layer to the
 * next. The objective needs counts of expert pairs alone, with the distance between ranks as a weight. With its neighbours fixed, a
 * layer is a transportation problem, which is solved exactly; sweeps over the layers go on until none improves. Starts: groups of
 * experts that send to the same ones, contiguous blocks, and drawn placements. Left out: the recursive bipartitioning and the
 * time limit of the published ILP, its soft variant, and the second exchange that ExFlow saves.
 */
export const exflow: PlacementPolicy<typeof parameters> = {
  name: "exflow",
  rule: "ExFlow: few tokens change the rank between layers",
  parameters,
  needs: ["transitions"],
  makesCopies: false,
  place: (input, { starts } = defaultsOf(parameters), tools) => {
    checkPlacementInput(input);
    const rooms = roomsInUse(input);
    let best: Uint16Array = new Uint16Array(0);
    let lowest = Infinity;
    for (let start = 0; start < starts; start++) {
      const rankOf = startOf(input, rooms, start);
      const cost = sweep(input, rooms, rankOf);
      if (cost >= lowest) continue;
      lowest = cost;
      best = rankOf;
    }
    const bound = crossTrafficBound(input, rooms);
    const gap = lowest === bound ? 0 : (lowest - bound) / lowest;
    const problem = "tokens between ranks, by distance";
    tools.prove({ problem, objective: lowest, bound, gap, proved: gap <= 1e-9, solver: "sweeps", cut: false });
    return placementFromRanks(input, (layer) => best.subarray(layer * input.experts, (layer + 1) * input.experts));
  },
};

/** [layers][ranks] experts on each rank: equally many, as its room allows. */
function roomsInUse(input: PlacementInput): Uint16Array {
  const { layers, ranks, experts } = input;
  const rooms = rankRooms(input);
  const counts = new Uint16Array(layers * ranks);
  for (let layer = 0; layer < layers; layer++)
    counts.set(evenCounts(rooms.subarray(layer * ranks, (layer + 1) * ranks), experts), layer * ranks);
  return counts;
}

/** [layers][experts] ranks to start from; further layers follow from the first one. */
function startOf(input: PlacementInput, rooms: Uint16Array, start: number): Uint16Array {
  const { layers, experts, ranks, seed = 0 } = input;
  const rankOf = new Uint16Array(layers * experts);
  const first = rooms.subarray(0, ranks);
  if (start === 0) rankOf.set(groupByAffinity(sameTargets(input), { least: first, most: first }));
  else if (start === 1) rankOf.set(inOrder(first, experts));
  else rankOf.set(dealOut(drawnOrder(experts, new RandomStream(seed, "exflow").fork(`start ${start}`)), first));
  for (let layer = 1; layer < layers; layer++) solveLayer(input, rooms, rankOf, layer, true);
  return rankOf;
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

/** Solves each layer with its neighbours fixed, there and back, until nothing improves. Returns the cost. */
function sweep(input: PlacementInput, rooms: Uint16Array, rankOf: Uint16Array): number {
  let cost = crossTraffic(input, rankOf);
  for (;;) {
    for (let layer = 0; layer < input.layers; layer++) solveLayer(input, rooms, rankOf, layer, false);
    for (let layer = input.layers - 2; layer >= 0; layer--) solveLayer(input, rooms, rankOf, layer, false);
    const after = crossTraffic(input, rankOf);
    if (!(after < cost * (1 - 1e-12))) return after;
    cost = after;
  }
}

/** The best ranks of a layer's experts for the ranks of its neighbours, or of the one before alone. */
function solveLayer(
  input: PlacementInput,
  rooms: Uint16Array,
  rankOf: Uint16Array,
  layer: number,
  forward: boolean,
): void {
  const { layers, experts, ranks, transitions = new Float64Array() } = input;
  const costs = new Float64Array(experts * ranks);
  const distance = distanceOf(input);
  /** Adds the cost of tokens between this layer's experts and those of a neighbour. */
  const add = (of: number, base: number, before: boolean) => {
    const sent = new Float64Array(experts * ranks);
    for (let mine = 0; mine < experts; mine++)
      for (let other = 0; other < experts; other++)
        sent[mine * ranks + rankOf[of * experts + other]!]! +=
          transitions[base + (before ? other * experts + mine : mine * experts + other)]!;
    for (let mine = 0; mine < experts; mine++)
      for (let there = 0; there < ranks; there++) {
        const tokens = sent[mine * ranks + there]!;
        if (tokens === 0) continue;
        for (let rank = 0; rank < ranks; rank++)
          costs[mine * ranks + rank]! += tokens * distance[before ? there * ranks + rank : rank * ranks + there]!;
      }
  };
  if (layer > 0) add(layer - 1, (layer - 1) * experts * experts, true);
  if (!forward && layer + 1 < layers) add(layer + 1, layer * experts * experts, false);
  const solved = assignToRooms(costs, rooms.subarray(layer * ranks, (layer + 1) * ranks))!;
  const total = (of: ArrayLike<number>, from: number) => {
    let sum = 0;
    for (let expert = 0; expert < experts; expert++) sum += costs[expert * ranks + of[from + expert]!]!;
    return sum;
  };
  // An equal cost changes nothing, so that sweeps come to an end.
  if (forward || total(solved, 0) < total(rankOf, layer * experts)) rankOf.set(solved, layer * experts);
}
