import type { LivePlacementPolicy } from "./placement.ts";
import { checkPlacementInput } from "./placement-input.ts";

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
    const { layers, experts, ranks, physicalExperts } = input;
    return {
      layers,
      experts,
      ranks,
      physicalExpertsPerRank: physicalExperts / ranks,
      logicalExperts: Uint16Array.from({ length: layers * physicalExperts }, (_, p) => (p % physicalExperts) % experts),
    };
  },
};
