import { RandomStream } from "../../core/random.ts";
import type { LivePlacementPolicy } from "./placement.ts";
import { checkPlacementInput, placementFromRanks } from "./placement-input.ts";
import { dealOut, rankRooms } from "./rank-rooms.ts";

/**
 * Experts in a drawn order dealt out to the ranks in turn: equal counts, and what a map that knows nothing is worth. Every layer
 * draws from a stream of its own, so that further layers change none.
 */
export const random: LivePlacementPolicy = {
  name: "random",
  rule: "experts in a drawn order, equally many on each rank",
  parameters: {},
  needs: [],
  makesCopies: false,
  place: (input) => {
    checkPlacementInput(input);
    const { experts, ranks, seed = 0 } = input;
    const rooms = rankRooms(input);
    const stream = new RandomStream(seed, "placement");
    return placementFromRanks(input, (layer) => {
      const inOrder = Uint16Array.from({ length: experts }, (_, expert) => expert);
      const order = stream.fork(`layer ${layer}`).shuffle(inOrder);
      return dealOut(order, rooms.subarray(layer * ranks, (layer + 1) * ranks));
    });
  },
};
