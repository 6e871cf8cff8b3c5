import { InvalidInputError } from "../core/errors.ts";
import { expertHomes } from "../models/visits.ts";
import { contiguousMap } from "../policy/placement/contiguous.ts";
import { noExpert, type Placement } from "../policy/placement/placement.ts";
import { physicalExpertsOf } from "../policy/placement/placement-measures.ts";
import type { PolicySetting } from "../resolve/policy-setting.ts";
import { type ResolvedPlacement, resolvePlacement } from "../resolve/resolve-placement.ts";
import { resolveStartUp } from "../resolve/resolve-start-up.ts";
import type { SimConfig } from "../sim/config.ts";
import type { SolveRunner } from "../solver/solver.ts";
import type { MapCandidate } from "./map-candidates.ts";

/** A map that could be made. */
export interface FittedMap {
  readonly candidate: MapCandidate;
  readonly placement: Placement;
  readonly proofs: ResolvedPlacement["proofs"];
}

/**
 * Makes the map of a candidate on the replayed rows of a setting. Policies that change a map change `inUse`, null: the one that the
 * scenario says.
 * @throws InvalidInputError for what the engine does not start, or the policy cannot place
 */
export async function fitMap(
  candidate: MapCandidate,
  setting: PolicySetting,
  config: SimConfig,
  solve: SolveRunner,
  inUse: Placement | null,
): Promise<FittedMap> {
  const scenario = setting.scenario.vary([...candidate.set]);
  const { refusals } = resolveStartUp(scenario, config);
  if (refusals.length > 0) throw new InvalidInputError(refusals);
  const { value, proofs } = await resolvePlacement({ ...setting, scenario }, solve, inUse);
  const { model, moe, mapping } = setting;
  // By MoE layer and visit.
  const placement = value ?? contiguousMap(expertHomes(model).length, moe.experts, mapping.ep);
  return { candidate, placement, proofs };
}

/** Copies of a layer beyond one of each expert, as many as the layer with most has. */
export function redundantOf(placement: Placement): number {
  const { layers, experts, logicalExperts } = placement;
  const slots = physicalExpertsOf(placement);
  let most = 0;
  for (let layer = 0; layer < layers; layer++) {
    let held = 0;
    for (let at = layer * slots; at < (layer + 1) * slots; at++) if (logicalExperts[at] !== noExpert) held++;
    most = Math.max(most, held - experts);
  }
  return most;
}
