import type { LayerRanks } from "./layer-copies.ts";
import type { PlacementInput } from "./placement.ts";
import { speedsOf } from "./placement-input.ts";
import { rankRooms } from "./rank-rooms.ts";

/** [layers] the ranks as the copies of each layer find them. `twins` is what the algorithm does where nobody says. */
export function layerRanks(input: PlacementInput, twins: boolean): LayerRanks[] {
  const rooms = rankRooms(input);
  const speeds = speedsOf(input);
  return Array.from({ length: input.layers }, (_, layer) => ({
    rooms: rooms.subarray(layer * input.ranks, (layer + 1) * input.ranks),
    speeds,
    twins: input.twins ?? twins,
  }));
}
