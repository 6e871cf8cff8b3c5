import { assignLongestFirst, improveBySwaps } from "../../solver/assignment.ts";
import { packCopies, relieveBusiest } from "./layer-copies.ts";
import { layerRanks } from "./layer-ranks.ts";
import type { LivePlacementPolicy } from "./placement.ts";
import { checkPlacementInput, layerLoads, placementFromCopies, placementFromRanks } from "./placement-input.ts";
import { areAlike } from "./rank-rooms.ts";

/**
 * Balances each layer by itself. The heaviest expert goes first, onto the lightest rank with room (Graham's longest
 * processing time rule). Swaps then relieve the heaviest rank. Within 0.1 % of the lower bound on lognormal loads of 64
 * and 256 experts, where exact solvers need seconds. On unequal ranks, the first to be done takes the place of the lightest.
 */
export const lpt: LivePlacementPolicy = {
  name: "lpt",
  rule: "heaviest expert first onto the lightest rank, then swaps",
  parameters: {},
  needs: ["loads"],
  makesCopies: false,
  place: (input) => {
    checkPlacementInput(input);
    if (!areAlike({ ...input, twins: true })) {
      const ranks = layerRanks(input, false);
      const once = new Uint16Array(input.experts).fill(1);
      return placementFromCopies(input, (layer) => {
        const copies = packCopies(layerLoads(input, layer), once, ranks[layer]!);
        relieveBusiest(copies);
        return copies.byRank;
      });
    }
    return placementFromRanks(input, (layer) => {
      const problem = {
        loads: layerLoads(input, layer),
        bins: input.ranks,
        binItemsMax: Math.min(input.physicalExperts / input.ranks, input.rankCopiesMax?.[0] ?? Infinity),
      };
      const rankOf = assignLongestFirst(problem);
      improveBySwaps(problem, rankOf);
      return rankOf;
    });
  },
};
