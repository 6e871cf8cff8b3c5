import { InvalidInputError, type Problem } from "../../core/errors.ts";
import { noExpert, type Placement, type PlacementInput } from "./placement.ts";

/** Refuses ranks, physical experts, experts or loads that no policy can place. */
export function checkPlacementInput(input: PlacementInput): void {
  const problems: Problem[] = [];
  const { layers, experts, ranks, physicalExperts, loads } = input;
  const expect = (holds: boolean, key: string, expected: string, found: unknown) => {
    if (!holds) problems.push({ at: `placement.${key}`, expected, found });
  };
  for (const key of ["layers", "experts", "ranks", "nodes", "groups", "physicalExperts"] as const)
    expect(Number.isInteger(input[key]) && input[key] > 0, key, "a positive integer", input[key]);
  expect(experts < noExpert, "experts", `fewer than ${noExpert}`, experts);
  expect(physicalExperts % ranks === 0, "physicalExperts", `a multiple of ${ranks} ranks`, physicalExperts);
  expect(physicalExperts >= experts, "physicalExperts", `at least one for each of ${experts} experts`, physicalExperts);
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

/**
 * A placement without copies, from the rank of every expert. A rank's experts are in ascending order, the rest empty.
 */
export function placementFromRanks(input: PlacementInput, rankOf: (layer: number) => ArrayLike<number>): Placement {
  const { layers, experts, ranks, physicalExperts } = input;
  const physicalExpertsPerRank = physicalExperts / ranks;
  const logicalExperts = new Uint16Array(layers * physicalExperts).fill(noExpert);
  for (let layer = 0; layer < layers; layer++) {
    const rankOfExpert = rankOf(layer);
    const used = new Uint32Array(ranks);
    for (let expert = 0; expert < experts; expert++) {
      const rank = rankOfExpert[expert]!;
      logicalExperts[layer * physicalExperts + rank * physicalExpertsPerRank + used[rank]!] = expert;
      used[rank]! += 1;
    }
  }
  return { layers, experts, ranks, physicalExpertsPerRank, logicalExperts };
}
