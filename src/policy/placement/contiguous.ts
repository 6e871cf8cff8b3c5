import type { PlacementPolicy } from "./placement.ts";
import { checkPlacementInput, placementFromRanks } from "./placement-input.ts";

/**
 * Experts in id order, as many to each rank; a remainder goes one each to the first ranks. The default of vLLM
 * (`linear`), SGLang and TensorRT-LLM.
 */
export const contiguous: PlacementPolicy = {
  name: "contiguous",
  needs: [],
  replicates: false,
  place: (input) => {
    checkPlacementInput(input);
    const { experts, ranks } = input;
    const rankOf = Uint16Array.from({ length: experts }, (_, expert) => contiguousRank(expert, experts, ranks));
    return placementFromRanks(input, () => rankOf);
  },
};

function contiguousRank(expert: number, experts: number, ranks: number): number {
  const least = Math.floor(experts / ranks);
  const remainder = experts % ranks;
  const inLarger = remainder * (least + 1);
  return expert < inLarger ? Math.floor(expert / (least + 1)) : remainder + Math.floor((expert - inLarger) / least);
}
