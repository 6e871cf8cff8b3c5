import { z } from "zod";
import { defaultsOf } from "../../core/parameters.ts";
import { keptPlaces } from "./kept-places.ts";
import { LayerCopies, relieveBusiest } from "./layer-copies.ts";
import { layerRanks } from "./layer-ranks.ts";
import type { LivePlacementPolicy, Placement } from "./placement.ts";
import { checkPlacementInput, copiesByRank, layerLoads, placementFromCopies } from "./placement-input.ts";
import { trivial } from "./trivial.ts";

const parameters = {
  swaps: z.int().min(0).max(65535).default(4).describe("Most swaps and moves of a layer in one update."),
};

/**
 * SwiftBalancer of vLLM Ascend: a placement in use is mended by a few swaps between the busiest rank of a layer and another one,
 * each the one that helps most, so that little has to be sent. Copies are never added nor taken away. Without a placement in use
 * it starts from vLLM's first map, `trivial`.
 */
export const swift: LivePlacementPolicy<typeof parameters> = {
  name: "swift",
  rule: "a few swaps that relieve the busiest rank of the placement in use",
  parameters,
  needs: ["loads", "previous"],
  makesCopies: true,
  place: (input, { swaps } = defaultsOf(parameters)) => {
    checkPlacementInput(input);
    const ranks = layerRanks(input, false);
    const previous = input.previous ?? trivial.place(input);
    return placementFromCopies(input, (layer) => {
      const copies = withinLimits(previous, layer, new LayerCopies(layerLoads(input, layer), ranks[layer]!));
      relieveBusiest(copies, swaps);
      return keptPlaces(previous, layer, copies.byRank);
    });
  },
};

/** The copies of a placement that the ranks may hold; experts that lose all of theirs get a place elsewhere. */
function withinLimits(placement: Placement, layer: number, copies: LayerCopies): LayerCopies {
  const surplus: number[] = [];
  for (const [rank, held] of copiesByRank(placement, layer).entries())
    for (const expert of held) {
      if (copies.fits(expert, rank)) copies.add(expert, rank);
      else surplus.push(expert);
    }
  for (let expert = 0; expert < copies.experts; expert++) {
    if (copies.counts[expert]! > 0) continue;
    makePlace(copies, expert);
  }
  for (const expert of surplus) copies.squeezeIn(expert);
  return copies;
}

/** Places an expert that has no copy yet, in the place of a further copy of another one if need be. */
function makePlace(copies: LayerCopies, expert: number): void {
  if (copies.squeezeIn(expert)) return;
  for (const [rank, held] of copies.byRank.entries()) {
    const spare = held.findLast((of) => copies.counts[of]! > 1);
    if (spare === undefined) continue;
    copies.remove(spare, rank);
    copies.add(expert, rank);
    return;
  }
}
