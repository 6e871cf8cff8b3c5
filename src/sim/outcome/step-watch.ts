import type { Replica, StepInFlight } from "../replica.ts";
import type { RequestState } from "../request-state.ts";
import type { StepMeasure } from "./step-parts.ts";

/** Who follows a run step by step: it is told, and changes nothing. Times are ns after the first arrival. */
export interface StepWatch {
  /** Front ends are through with a request. */
  tokenised(request: number, atNs: number): void;
  /** A step begins that a replica formed. `state` is that before it: the tokens of the step are not computed. */
  begins(replica: Replica, step: StepInFlight, state: RequestState, atNs: number): void;
  /** Whether the step that has just begun is to be measured. Absent: none is. */
  measures?(step: StepInFlight): boolean;
  /** It is known when the step ends, and for how much of it the devices wait for experts. `measure`: null where nobody asked. */
  ends(step: StepInFlight, endNs: number, stallNs: number, measure: StepMeasure | null): void;
}
