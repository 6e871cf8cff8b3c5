import type { LivePlacementPolicy, Placement } from "./placement.ts";
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

/** Where engines have experts without any policy; the last places stay empty where ranks do not divide them. */
export const contiguousMap = (layers: number, experts: number, ranks: number): Placement =>
  contiguous.place({
    layers,
    experts,
    ranks,
    nodes: 1,
    groups: 1,
    physicalExperts: Math.ceil(experts / ranks) * ranks,
    loads: null,
  });
