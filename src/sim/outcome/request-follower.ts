import type { Replica, StepInFlight } from "../replica.ts";
import type { RequestState } from "../request-state.ts";
import { RequestRecorder } from "./request-recorder.ts";
import type { StepMeasure } from "./step-parts.ts";
import type { StepWatch } from "./step-watch.ts";

/** Follows several requests of one run, and measures the steps that they are in. */
export class RequestFollower implements StepWatch {
  readonly recorders: readonly RequestRecorder[];

  constructor(requests: readonly number[]) {
    this.recorders = [...new Set(requests)].map((request) => new RequestRecorder(request));
  }

  tokenised(request: number, atNs: number): void {
    for (const recorder of this.recorders) recorder.tokenised(request, atNs);
  }

  begins(replica: Replica, step: StepInFlight, state: RequestState, atNs: number): void {
    for (const recorder of this.recorders) recorder.begins(replica, step, state, atNs);
  }

  measures(step: StepInFlight): boolean {
    return this.recorders.some((recorder) => recorder.isIn(step));
  }

  ends(step: StepInFlight, endNs: number, stallNs: number, measure: StepMeasure | null): void {
    for (const recorder of this.recorders) recorder.ends(step, endNs, stallNs, measure);
  }
}
