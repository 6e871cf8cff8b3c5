import { assignLongestFirst } from "../../solver/assignment/longest-first.ts";
import { improveBySwaps } from "../../solver/assignment/swaps.ts";
import type { LivePlacementPolicy } from "./placement.ts";
import { checkPlacementInput, layerLoads, placementFromRanks } from "./placement-input.ts";
import { rankRooms } from "./rank-rooms.ts";

/**
 * Balances each layer by itself. The heaviest expert goes first, onto the lightest rank with room (Graham's longest
 * processing time rule); of unequal ranks, onto the one that would be done first. Swaps then relieve the heaviest rank. Within
 * 0.1 % of the lower bound on lognormal loads of 64 and 256 experts, where exact solvers need seconds.
 */
export const lpt: LivePlacementPolicy = {
  name: "lpt",
  rule: "heaviest expert first onto the lightest rank, then swaps",
  parameters: {},
  needs: ["loads"],
  makesCopies: false,
  place: (input) => {
    checkPlacementInput(input);
    const { ranks, rankSpeed } = input;
    const rooms = rankRooms(input);
    return placementFromRanks(input, (layer) => {
      const problem = {
        loads: layerLoads(input, layer),
        bins: ranks,
        binItemsMax: rooms.subarray(layer * ranks, (layer + 1) * ranks),
        ...(rankSpeed === undefined ? {} : { binSpeed: rankSpeed }),
      };
      const rankOf = assignLongestFirst(problem);
      improveBySwaps(problem, rankOf);
      return rankOf;
    });
  },
};
