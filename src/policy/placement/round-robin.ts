import type { PlacementPolicy } from "./placement.ts";
import { checkPlacementInput, placementFromRanks } from "./placement-input.ts";

/** Expert e on rank e modulo ranks; vLLM's `round_robin` strategy. Separates neighbours that are popular together. */
export const roundRobin: PlacementPolicy = {
  name: "round-robin",
  needs: [],
  makesCopies: false,
  place: (input) => {
    checkPlacementInput(input);
    const rankOf = Uint16Array.from({ length: input.experts }, (_, expert) => expert % input.ranks);
    return placementFromRanks(input, () => rankOf);
  },
};
