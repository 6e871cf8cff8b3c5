import { timeComponents } from "../result.ts";

/**
 * What the time of a step goes into: the components of its time in the stages of its replica, and how long it waited for a stage
 * that another step was in.
 */
export const stepParts = [...timeComponents, "stageWait"] as const;
export type StepPart = (typeof stepParts)[number];

/** What one step took, as it was measured; read it when it is told, the next step uses the same room. */
export interface StepMeasure {
  /** [step parts] ns, not rounded: together the length of the step but for the rounding of each of its stages. */
  readonly parts: Float64Array;
  /** [causes] how long expert ranks stood still for what they lacked, summed over ranks, ns; the names of the causes. */
  readonly stalls: Float64Array;
  readonly stallNames: readonly string[];
}
