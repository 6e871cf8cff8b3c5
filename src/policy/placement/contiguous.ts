import type { LivePlacementPolicy } from "./placement.ts";
import { checkPlacementInput, placementFromRanks } from "./placement-input.ts";
import { evenCounts, inOrder, rankRooms } from "./rank-rooms.ts";

/**
 * Experts in id order, equally many on each rank, or as many as there is room for; the first ranks take one more each of a
 * remainder. The default of vLLM (`linear`), SGLang and TensorRT-LLM.
 */
export const contiguous: LivePlacementPolicy = {
  name: "contiguous",
  rule: "experts in id order, equally many on each rank",
  parameters: {},
  needs: [],
  makesCopies: false,
  place: (input) => {
    checkPlacementInput(input);
    const { experts, ranks } = input;
    const rooms = rankRooms(input);
    return placementFromRanks(input, (layer) =>
      inOrder(evenCounts(rooms.subarray(layer * ranks, (layer + 1) * ranks), experts), experts),
    );
  },
};
