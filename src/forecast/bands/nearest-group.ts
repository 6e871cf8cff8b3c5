import { modelNamed } from "../../models/catalogue.ts";
import {
  type DeploymentTraits,
  deploymentDifferences,
  deploymentDistance,
  modelTraits,
} from "./deployment-distance.ts";
import type { MeasuredDeployment, ValidatedGroup } from "./error-band-table.ts";

/** A validated group by the ids of the catalogue and of profiles. */
export type GroupKey = Pick<ValidatedGroup, "model" | "device" | "engine">;

/** The measured deployment that is nearest to another one, and how far it is. */
export interface NearestGroup {
  readonly group: ValidatedGroup;
  readonly deployment: MeasuredDeployment;
  readonly distance: number;
  /** What differs, in words; empty at distance 0. */
  readonly differs: readonly string[];
}

/** The group with the nearest measured deployment; of equally near ones the deployment with the most points, then the first. */
export function nearestGroup(here: DeploymentTraits, groups: readonly ValidatedGroup[]): NearestGroup | null {
  let nearest: NearestGroup | null = null;
  for (const group of groups) {
    const model = modelTraits(modelNamed(group.model));
    for (const deployment of group.deployments) {
      const there = { ...deployment, model, device: group.device, engine: group.engine };
      const distance = deploymentDistance(here, there);
      const better =
        nearest === null ||
        distance < nearest.distance ||
        (distance === nearest.distance && deployment.points > nearest.deployment.points);
      if (better) nearest = { group, deployment, distance, differs: deploymentDifferences(here, there) };
    }
  }
  return nearest;
}
