import { InvalidInputError, type Problem } from "../../core/errors.ts";
import { noExpert, type Placement, type PlacementInput } from "./placement.ts";

/** Refuses ranks, physical experts, experts or statistics that no policy can place. */
export function checkPlacementInput(input: PlacementInput): void {
  const problems: Problem[] = [];
  const { layers, experts, ranks, physicalExperts } = input;
  const expect = (holds: boolean, key: string, expected: string, found: unknown) => {
    if (!holds) problems.push({ at: `placement.${key}`, expected, found });
  };
  for (const key of ["layers", "experts", "ranks", "nodes", "groups", "physicalExperts"] as const)
    expect(Number.isInteger(input[key]) && input[key] > 0, key, "a positive integer", input[key]);
  expect(experts < noExpert, "experts", `fewer than ${noExpert}`, experts);
  expect(physicalExperts % ranks === 0, "physicalExperts", `a multiple of ${ranks} ranks`, physicalExperts);
  expect(physicalExperts >= experts, "physicalExperts", `at least one for each of ${experts} experts`, physicalExperts);

  const sizes = (key: string, values: ArrayLike<number> | null | undefined, ...lengths: number[]) => {
    if (values === null || values === undefined) return;
    const length = lengths.reduce((product, of) => product * of, 1);
    expect(values.length === length, key, `${lengths.join(" x ")} values`, `${values.length} values`);
  };
  const finite = (key: string, values: Float64Array | null | undefined, what: string, least = 0) => {
    const bad = values?.findIndex((value) => !(value >= least && value < Infinity)) ?? -1;
    expect(bad < 0, `${key}[${bad}]`, `a finite ${what} ${least > 0 ? "above" : ">="} 0`, values?.[bad]);
  };
  sizes("loads", input.loads, layers, experts);
  finite("loads", input.loads, "load");
  for (const [at, window] of (input.windows ?? []).entries()) {
    sizes(`windows[${at}]`, window, layers, experts);
    finite(`windows[${at}]`, window, "load");
  }
  sizes("transitions", input.transitions, layers - 1, experts, experts);
  finite("transitions", input.transitions, "count");
  sizes("pairs", input.pairs, layers, experts, experts);
  finite("pairs", input.pairs, "count");
  sizes("rankCopiesMax", input.rankCopiesMax, ranks);
  sizes("rankCopiesTotal", input.rankCopiesTotal, ranks);
  sizes("rooms", input.rooms, layers, ranks);
  sizes("rankSpeed", input.rankSpeed, ranks);
  finite("rankSpeed", input.rankSpeed, "speed", Number.MIN_VALUE);
  sizes("distance", input.distance, ranks, ranks);
  finite("distance", input.distance, "distance");
  problems.push(...previousProblems(input));
  if (problems.length > 0) throw new InvalidInputError(problems);
}

/** Why the placement in use cannot be one of these layers, experts and ranks. */
function previousProblems({ previous, layers, experts, ranks, physicalExperts }: PlacementInput): Problem[] {
  if (previous === null || previous === undefined) return [];
  const expected = [layers, experts, ranks, physicalExperts];
  const found = [previous.layers, previous.experts, previous.ranks, previous.ranks * previous.physicalExpertsPerRank];
  if (found.every((value, at) => value === expected[at])) return [];
  const inWords = ([l, e, r, p]: readonly number[]) => `${l} layers of ${e} experts, ${p} physical ones on ${r} ranks`;
  return [{ at: "placement.previous", expected: inWords(expected), found: inWords(found) }];
}

/** Loads of one layer; equal loads where there are none. */
export function layerLoads(input: PlacementInput, layer: number): Float64Array {
  const { experts, loads } = input;
  return loads?.subarray(layer * experts, (layer + 1) * experts) ?? new Float64Array(experts).fill(1);
}

/** [ranks] relative speeds; 1 where none are given. */
export const speedsOf = ({ ranks, rankSpeed }: PlacementInput): Float64Array =>
  rankSpeed ?? new Float64Array(ranks).fill(1);

/**
 * A placement without copies, from the rank of every expert. A rank's experts are in ascending order, the rest empty.
 */
export function placementFromRanks(input: PlacementInput, rankOf: (layer: number) => ArrayLike<number>): Placement {
  return placementFromCopies(input, (layer) => {
    const byRank = Array.from({ length: input.ranks }, (): number[] => []);
    const rankOfExpert = rankOf(layer);
    for (let expert = 0; expert < input.experts; expert++) byRank[rankOfExpert[expert]!]!.push(expert);
    return byRank;
  });
}

/** A placement from the experts that each rank holds, in the order of its places; the rest is empty. */
export function placementFromCopies(
  input: PlacementInput,
  byRank: (layer: number) => readonly (readonly number[])[],
): Placement {
  const { layers, experts, ranks, physicalExperts } = input;
  const physicalExpertsPerRank = physicalExperts / ranks;
  const logicalExperts = new Uint16Array(layers * physicalExperts).fill(noExpert);
  for (let layer = 0; layer < layers; layer++)
    for (const [rank, held] of byRank(layer).entries())
      logicalExperts.set(held, layer * physicalExperts + rank * physicalExpertsPerRank);
  return { layers, experts, ranks, physicalExpertsPerRank, logicalExperts };
}

/** [ranks] the experts that each rank holds in a layer, a copy each, in the order of its places. */
export function copiesByRank(placement: Placement, layer: number): number[][] {
  const { ranks, physicalExpertsPerRank: places, logicalExperts } = placement;
  return Array.from({ length: ranks }, (_, rank) => {
    const first = (layer * ranks + rank) * places;
    return [...logicalExperts.subarray(first, first + places)].filter((expert) => expert !== noExpert);
  });
}
