import type { Replica, StepInFlight } from "../replica.ts";
import type { RequestState } from "../request-state.ts";

/** Who follows a run step by step: it is told, and changes nothing. Times are ns after the first arrival. */
export interface StepWatch {
  /** Front ends are through with a request. */
  tokenised(request: number, atNs: number): void;
  /** A step begins that a replica formed. `state` is that before it: the tokens of the step are not computed. */
  begins(replica: Replica, step: StepInFlight, state: RequestState, atNs: number): void;
  /** It is known when the step ends, and for how much of it the devices wait for experts. */
  ends(step: StepInFlight, endNs: number, stallNs: number): void;
}
