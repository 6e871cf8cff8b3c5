import type { LivePlacementPolicy } from "./placement.ts";
import { checkPlacementInput, placementFromRanks } from "./placement-input.ts";
import { dealOut, rankRooms } from "./rank-rooms.ts";

/**
 * Expert e on rank e modulo ranks, full ranks left out; vLLM's `round_robin` strategy. Separates neighbours that are popular
 * together.
 */
export const roundRobin: LivePlacementPolicy = {
  name: "round-robin",
  rule: "expert e on rank e modulo the ranks",
  parameters: {},
  needs: [],
  makesCopies: false,
  place: (input) => {
    checkPlacementInput(input);
    const { experts, ranks } = input;
    const rooms = rankRooms(input);
    const inOrder = Uint16Array.from({ length: experts }, (_, expert) => expert);
    return placementFromRanks(input, (layer) => dealOut(inOrder, rooms.subarray(layer * ranks, (layer + 1) * ranks)));
  },
};
