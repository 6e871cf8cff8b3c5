import type { Scenario } from "../../scenario/parse-scenario.ts";
import type { SimConfig } from "../../sim/config.ts";
import type { Forecast } from "../forecast.ts";

/** What costs a deployment time: the components a bottleneck can have, or requests that wait for their first step. */
export type AdviceCause = Forecast["bottleneck"]["component"] | "queue";

/** A finished run, as rules see it. */
export interface Situation {
  readonly config: SimConfig;
  readonly forecast: Forecast;
  /** Policies as the scenario chose them. */
  readonly policy: Scenario["policy"];
  readonly policies: Scenario["policies"];
}

/** A change of the scenario that may help. */
export interface Change {
  /** What it does, in words. */
  readonly text: string;
  /** As given to --set. */
  readonly set: readonly string[];
}

/**
 * One piece of advice: the causes it is meant for, and the change it comes to on the same devices; null where it does not
 * apply, is what the deployment does already, or has no room left. Whether it helps is found out by trying.
 */
export interface AdviceRule {
  readonly causes: readonly AdviceCause[];
  /** Set where the model computes something else with it: such changes stand back behind others. */
  readonly changesOutput?: true;
  change(situation: Situation): Change | null;
}
