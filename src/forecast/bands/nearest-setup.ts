import { modelNamed } from "../../models/catalogue.ts";
import {
  type DeploymentTraits,
  deploymentDifferences,
  deploymentDistance,
  modelTraits,
} from "./deployment-distance.ts";
import type { MeasuredDeployment, ValidatedSetup } from "./error-band-table.ts";

/** A validated setup by the ids of the catalogue and of profiles. */
export type SetupKey = Pick<ValidatedSetup, "model" | "device" | "engine">;

/** The measured deployment that is nearest to another one, and how far it is. */
export interface NearestSetup {
  readonly setup: ValidatedSetup;
  readonly deployment: MeasuredDeployment;
  readonly distance: number;
  /** What differs, in words; empty at distance 0. */
  readonly differs: readonly string[];
}

/** The setup with the nearest measured deployment; of equally near ones the deployment with the most points, then the first. */
export function nearestSetup(here: DeploymentTraits, setups: readonly ValidatedSetup[]): NearestSetup | null {
  let nearest: NearestSetup | null = null;
  for (const setup of setups) {
    const model = modelTraits(modelNamed(setup.model));
    for (const deployment of setup.deployments) {
      const there = { ...deployment, model, device: setup.device, engine: setup.engine };
      const distance = deploymentDistance(here, there);
      const better =
        nearest === null ||
        distance < nearest.distance ||
        (distance === nearest.distance && deployment.points > nearest.deployment.points);
      if (better) nearest = { setup, deployment, distance, differs: deploymentDifferences(here, there) };
    }
  }
  return nearest;
}
