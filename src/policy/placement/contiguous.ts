import { firstExpertOf } from "../../models/contiguous-ranks.ts";
import type { LivePlacementPolicy } from "./placement.ts";
import { checkPlacementInput, placementFromRanks } from "./placement-input.ts";

/**
 * Experts in id order, equally many on each rank; the first ranks take one more each of a remainder. The default of
 * vLLM (`linear`), SGLang and TensorRT-LLM.
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
    const rankOf = new Uint16Array(experts);
    for (let rank = 0; rank < ranks; rank++)
      rankOf.fill(rank, firstExpertOf(rank, experts, ranks), firstExpertOf(rank + 1, experts, ranks));
    return placementFromRanks(input, () => rankOf);
  },
};
