import type { LivePlacementPolicy } from "./placement.ts";
import { checkPlacementInput, placementFromRanks } from "./placement-input.ts";

/** Expert e on rank e modulo ranks; vLLM's `round_robin` strategy. Separates neighbours that are popular together. */
export const roundRobin: LivePlacementPolicy = {
  name: "round-robin",
  rule: "expert e on rank e modulo the ranks",
  parameters: {},
  needs: [],
  makesCopies: false,
  place: (input) => {
    checkPlacementInput(input);
    const rankOf = Uint16Array.from({ length: input.experts }, (_, expert) => expert % input.ranks);
    return placementFromRanks(input, () => rankOf);
  },
};
