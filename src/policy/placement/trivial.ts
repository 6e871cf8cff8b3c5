import type { LivePlacementPolicy } from "./placement.ts";
import { checkPlacementInput, placementFromCopies } from "./placement-input.ts";
import { rankRooms } from "./rank-rooms.ts";

/**
 * Physical expert p holds expert p mod E: experts in id order, and copies from the first one on. What vLLM and SGLang
 * (`--init-expert-location trivial`) start with before they have seen any load.
 */
export const trivial: LivePlacementPolicy = {
  name: "trivial",
  rule: "experts in id order, then copies from the first one on, as vLLM and SGLang start",
  parameters: {},
  needs: [],
  makesCopies: true,
  place: (input) => {
    checkPlacementInput(input);
    const { experts, ranks, twins } = input;
    const rooms = rankRooms(input);
    return placementFromCopies(input, (layer) => {
      let next = 0;
      return Array.from({ length: ranks }, (_, rank) => {
        const room = rooms[layer * ranks + rank]!;
        const places = twins === false ? Math.min(room, experts) : room;
        return Array.from({ length: places }, () => next++ % experts);
      });
    });
  },
};
