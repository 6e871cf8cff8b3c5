import { z } from "zod";
import { defaultsOf } from "../../core/parameters.ts";
import { keptPlaces } from "./kept-places.ts";
import {
  copiesMost,
  isAllowed,
  LayerCopies,
  type LayerRanks,
  placeSomewhere,
  relieveBusiest,
  usablePlaces,
} from "./layer-copies.ts";
import { layerRanks } from "./layer-ranks.ts";
import type { LivePlacementPolicy, PlacementInput } from "./placement.ts";
import { checkPlacementInput, copiesByRank, layerLoads, placementFromCopies } from "./placement-input.ts";
import { balance } from "./placement-measures.ts";

const parameters = {
  stages: z
    .int()
    .min(1)
    .max(32)
    .default(32)
    .describe("Most stretches of time, the latest ones, that a map has to suit."),
  layersPerUpdate: z
    .int()
    .min(1)
    .max(4096)
    .default(8)
    .describe("Layers that one update of a placement in use changes."),
  worsened: z
    .number()
    .min(1)
    .max(1000)
    .default(1.15)
    .describe("A layer of the placement in use is solved again where its max/mean is so many times that of a new map."),
};

/**
 * FlashLB of vLLM Ascend (`flashlb.py`): copies for the experts whose hotness over several stages gains most by them, packed
 * heaviest first with no two copies of an expert on a rank. A placement in use changes only where it has become worse, and
 * unchanged experts keep their places. The marginal gain here is that of the sum over stages of each copy's squared load, so that
 * a burst counts more than the same tokens spread over time; how the reference weighs stages was not read. It compares
 * max/mean with that of its last solution, this with that of a new one, which needs no memory of the past.
 */
export const flashlb: LivePlacementPolicy<typeof parameters> = {
  name: "flashlb",
  rule: "copies by hotness over several stages, packed without twins, only layers that have become worse",
  parameters,
  needs: ["loads", "windows"],
  makesCopies: true,
  place: (input, { stages, layersPerUpdate, worsened } = defaultsOf(parameters)) => {
    checkPlacementInput(input);
    const ranks = layerRanks(input, false);
    const solved = ranks.map((on, layer) => solveLayer(input, layer, on, stages));
    const { previous = null } = input;
    if (previous === null) return placementFromCopies(input, (layer) => solved[layer]!.byRank);
    const inUse = ranks.map(
      (on, layer) => new LayerCopies(layerLoads(input, layer), on, copiesByRank(previous, layer)),
    );
    const ratio = solved.map((copies, layer) => balance(inUse[layer]!.busy()) / balance(copies.busy()));
    const worst = [...ratio.keys()]
      .filter((layer) => ratio[layer]! > worsened || !isAllowed(inUse[layer]!))
      .sort((a, b) => ratio[b]! - ratio[a]! || a - b);
    // A layer that breaks a limit of the ranks cannot wait.
    const updated = new Set(worst.filter((layer, at) => at < layersPerUpdate || !isAllowed(inUse[layer]!)));
    return placementFromCopies(input, (layer) =>
      keptPlaces(previous, layer, updated.has(layer) ? solved[layer]!.byRank : inUse[layer]!.byRank),
    );
  },
};

/** One layer anew. */
function solveLayer(input: PlacementInput, layer: number, on: LayerRanks, stages: number): LayerCopies {
  const { experts } = input;
  const hotness = (input.windows ?? [])
    .slice(-stages)
    .map((window) => window.subarray(layer * experts, (layer + 1) * experts))
    .filter((window) => window.some((load) => load > 0));
  const loads = layerLoads(input, layer);
  if (hotness.length === 0) hotness.push(loads);
  const counts = countsBySquares(hotness, on, usablePlaces(on, experts));
  const copies = packStages(loads, hotness, counts, on);
  relieveBusiest(copies);
  return copies;
}

/** [experts] copies by the greatest marginal gain in the sum over stages of the squared loads of copies. */
export function countsBySquares(hotness: readonly ArrayLike<number>[], on: LayerRanks, places: number): Uint16Array {
  const experts = hotness[0]!.length;
  const squares = new Float64Array(experts);
  for (const stage of hotness)
    for (let expert = 0; expert < experts; expert++) squares[expert]! += stage[expert]! * stage[expert]!;
  const counts = new Uint16Array(experts).fill(1);
  const most = copiesMost(on);
  // An expert with square sum s has s / c over its c copies: one more gains s / (c (c + 1)).
  const gain = (expert: number) => squares[expert]! / (counts[expert]! * (counts[expert]! + 1));
  for (let used = experts; used < places; used++) {
    let best = -1;
    for (let expert = 0; expert < experts; expert++)
      if (counts[expert]! < most && (best < 0 || gain(expert) > gain(best))) best = expert;
    if (best < 0) break;
    counts[best]! += 1;
  }
  return counts;
}

/** Packs copies, the heaviest first, onto the rank whose busiest stage they lift least. */
function packStages(
  loads: ArrayLike<number>,
  hotness: readonly ArrayLike<number>[],
  counts: Uint16Array,
  on: LayerRanks,
): LayerCopies {
  const copies = new LayerCopies(loads, on);
  const ranks = on.rooms.length;
  const load = hotness.map(() => new Float64Array(ranks));
  const order: number[] = [];
  for (const [expert, count] of counts.entries()) for (let copy = 0; copy < count; copy++) order.push(expert);
  order.sort((a, b) => loads[b]! / counts[b]! - loads[a]! / counts[a]! || a - b);
  const waiting: number[] = [];
  for (const expert of order) {
    let first = -1;
    let lowest = 0;
    for (let rank = 0; rank < ranks; rank++) {
      if (!copies.fits(expert, rank)) continue;
      let busiest = 0;
      for (const [stage, of] of hotness.entries())
        busiest = Math.max(busiest, (load[stage]![rank]! + of[expert]! / counts[expert]!) / on.speeds[rank]!);
      if (first >= 0 && busiest >= lowest) continue;
      first = rank;
      lowest = busiest;
    }
    if (first < 0) waiting.push(expert);
    else {
      copies.add(expert, first);
      for (const [stage, of] of hotness.entries()) load[stage]![first]! += of[expert]! / counts[expert]!;
    }
  }
  for (const expert of waiting) placeSomewhere(copies, expert);
  return copies;
}
