import { InvalidInputError, type Problem } from "../../core/errors.ts";
import { emptySlot, type Placement, type PlacementInput } from "./placement.ts";

/** Refuses ranks, slots, experts or loads that cannot be placed, however the policy works. */
export function checkPlacementInput(input: PlacementInput): void {
  const problems: Problem[] = [];
  const { layers, experts, ranks, slots, loads } = input;
  const expect = (holds: boolean, key: string, expected: string, found: unknown) => {
    if (!holds) problems.push({ at: `placement.${key}`, expected, found });
  };
  for (const key of ["layers", "experts", "ranks", "nodes", "groups", "slots"] as const)
    expect(Number.isInteger(input[key]) && input[key] > 0, key, "a positive integer", input[key]);
  expect(experts < emptySlot, "experts", `fewer than ${emptySlot}`, experts);
  expect(slots % ranks === 0, "slots", `a multiple of ${ranks} ranks`, slots);
  expect(slots >= experts, "slots", `at least one for each of ${experts} experts`, slots);
  if (loads !== null)
    expect(loads.length === layers * experts, "loads", `${layers} x ${experts} values`, `${loads.length} values`);
  const bad = loads?.findIndex((load) => !(load >= 0 && load < Infinity)) ?? -1;
  expect(bad < 0, `loads[${bad}]`, "a finite load >= 0", loads?.[bad]);
  if (problems.length > 0) throw new InvalidInputError(problems);
}

/** Loads of one layer; equal loads where there are none. */
export function layerLoads(input: PlacementInput, layer: number): Float64Array {
  const { experts, loads } = input;
  return loads?.subarray(layer * experts, (layer + 1) * experts) ?? new Float64Array(experts).fill(1);
}

/** A placement without replicas from the rank of every expert: experts of a rank in ascending order, rest empty. */
export function placementFromRanks(input: PlacementInput, rankOf: (layer: number) => ArrayLike<number>): Placement {
  const { layers, experts, ranks, slots } = input;
  const slotsPerRank = slots / ranks;
  const slotExpert = new Uint16Array(layers * slots).fill(emptySlot);
  for (let layer = 0; layer < layers; layer++) {
    const rankOfExpert = rankOf(layer);
    const used = new Uint32Array(ranks);
    for (let expert = 0; expert < experts; expert++) {
      const rank = rankOfExpert[expert]!;
      slotExpert[layer * slots + rank * slotsPerRank + used[rank]!] = expert;
      used[rank]! += 1;
    }
  }
  return { layers, experts, ranks, slotsPerRank, slotExpert };
}
