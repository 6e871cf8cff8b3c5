import { z } from "zod";
import { InvalidInputError } from "../../core/errors.ts";
import { defaultsOf } from "../../core/parameters.ts";
import { copyHottest, packCopies, relieveBusiest, usablePlaces } from "./layer-copies.ts";
import { layerRanks } from "./layer-ranks.ts";
import type { LivePlacementPolicy, PlacementInput } from "./placement.ts";
import { checkPlacementInput, layerLoads, placementFromCopies } from "./placement-input.ts";

const parameters = {
  top: z
    .int()
    .min(0)
    .max(65535)
    .optional()
    .describe("Experts of each layer that every rank holds; default as many as the redundant ones allow."),
};

/**
 * `biased` of ATOM (ROCm/ATOM PR 1210): the experts with the highest load are copied to every rank, so that their tokens stay
 * where they are or spread evenly. The other experts share the places that are left: further copies of the hottest among them,
 * packed by load. How ATOM places these others was not read.
 */
export const biased: LivePlacementPolicy<typeof parameters> = {
  name: "biased",
  rule: "the hottest experts on every rank, the others balanced",
  parameters,
  needs: ["loads"],
  makesCopies: true,
  place: (input, { top } = defaultsOf(parameters)) => {
    checkPlacementInput(input);
    const { experts, ranks } = input;
    const on = layerRanks(input, false).map((of) => ({ ...of, twins: false }));
    const hot = top ?? Math.min(...on.map((of) => mostOnAll(input, usablePlaces(of, experts), of.rooms)));
    checkTop(input, hot, Math.min(...on.map((of) => mostOnAll(input, usablePlaces(of, experts), of.rooms))));
    return placementFromCopies(input, (layer) => {
      const loads = layerLoads(input, layer);
      const byLoad = Array.from(loads.keys()).sort((a, b) => loads[b]! - loads[a]! || a - b);
      const everywhere = byLoad.slice(0, hot).sort((a, b) => a - b);
      const others = byLoad.slice(hot).sort((a, b) => a - b);
      const rest = { ...on[layer]!, rooms: Uint16Array.from(on[layer]!.rooms, (room) => room - hot) };
      const otherLoads = others.map((expert) => loads[expert]!);
      const counts = copyHottest(otherLoads, rest, usablePlaces(rest, others.length));
      const copies = packCopies(otherLoads, counts, rest);
      relieveBusiest(copies);
      return Array.from({ length: ranks }, (_, rank) => [
        ...everywhere,
        ...copies.byRank[rank]!.map((at) => others[at]!),
      ]);
    });
  },
};

/** Experts that every rank can hold beside one copy of each other expert. */
function mostOnAll({ experts, ranks }: PlacementInput, places: number, rooms: ArrayLike<number>): number {
  const spare = ranks === 1 ? experts : Math.floor((places - experts) / (ranks - 1));
  return Math.max(0, Math.min(experts, spare, ...Array.from(rooms)));
}

function checkTop({ ranks, experts }: PlacementInput, top: number, most: number): void {
  if (top > most)
    throw new InvalidInputError([
      {
        at: "placement.top",
        expected: `at most ${most}: a copy of ${top} experts on each of ${ranks} ranks and one of each of the other ${Math.max(0, experts - top)} do not fit`,
        found: top,
        hint: `redundant: ${top * (ranks - 1)} makes room`,
      },
    ]);
}
