import { noExpert, type Placement, type PlacementInput } from "../policy/placement/placement.ts";
import { placementProblems } from "../policy/placement/placement-measures.ts";
import { type PolicyName, wrong } from "./plugin-calls.ts";

/** What a policy returned, where it is a placement of what it was asked for, within the limits of its ranks. */
export function checkedPlacement(
  placement: Placement,
  input: PlacementInput,
  makesCopies: boolean,
  name: PolicyName,
): Placement {
  const refused = (expected: string, found: unknown) => wrong(name, { expected, found });
  const returned: unknown = placement;
  if (returned === null || typeof returned !== "object") throw refused("place to return a placement", returned);
  const { layers, experts, ranks, physicalExperts, twins = true } = input;
  const shape = { layers, experts, ranks, physicalExpertsPerRank: physicalExperts / ranks };
  for (const key of ["layers", "experts", "ranks", "physicalExpertsPerRank"] as const)
    if (placement[key] !== shape[key]) throw refused(`${key} ${shape[key]}, as place is told`, placement[key]);
  if (!(placement.logicalExperts instanceof Uint16Array))
    throw refused("logicalExperts to be a Uint16Array", typeof placement.logicalExperts);
  if (placement.pruned === true) throw refused("a copy of every expert", "pruned");
  const problems = placementProblems(placement, "logicalExperts");
  const [first] = problems;
  if (first !== undefined) throw refused(`${first.at}: ${first.expected}`, first.found);
  const perRank = shape.physicalExpertsPerRank;
  const held = new Uint32Array(ranks);
  for (let layer = 0; layer < layers; layer++) {
    let copies = 0;
    for (let rank = 0; rank < ranks; rank++) {
      const from = (layer * ranks + rank) * perRank;
      const own = placement.logicalExperts.subarray(from, from + perRank).filter((expert) => expert !== noExpert);
      const room = Math.min(input.rankCopiesMax?.[rank] ?? perRank, input.rooms?.[layer * ranks + rank] ?? perRank);
      if (own.length > room) throw refused(`at most ${room} experts on rank ${rank} in layer ${layer}`, own.length);
      if (!twins && new Set(own).size < own.length)
        throw refused(`no expert twice on rank ${rank} in layer ${layer}: twins is false`, [...own]);
      copies += own.length;
      held[rank]! += own.length;
    }
    if (!makesCopies && copies > experts)
      throw refused(`one place for each expert of layer ${layer}: the policy does not say makesCopies`, copies);
  }
  for (const [rank, total] of held.entries())
    if (total > (input.rankCopiesTotal?.[rank] ?? total))
      throw refused(`at most ${input.rankCopiesTotal?.[rank]} experts on rank ${rank} over all layers`, total);
  return placement;
}
