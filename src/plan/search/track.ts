import type { Outcome } from "../job/job.ts";
import type { Candidate } from "../space/candidates.ts";

/**
 * How a candidate stands: not run; it meets the SLOs over all requests; it does not; excluded by a bound before it ran; or its run
 * failed by a defect.
 */
export const candidateStates = ["untested", "feasible", "infeasible", "pruned", "failed"] as const;
export type CandidateState = (typeof candidateStates)[number];

/** A candidate on its way through the search. */
export interface Track {
  readonly candidate: Candidate;
  /** Place in the space. */
  readonly index: number;
  state: CandidateState;
  /** Why it is infeasible, pruned or failed; what excluded it, for counting. */
  reason: string | null;
  cause: string | null;
  /** Samples that it has been run on; its next run is on the one of this place. */
  rung: number;
  /** Of its longest run, and the requests of that; null before it ran. */
  outcome: Outcome | null;
  requests: number;
  /** Its run at the largest rate that holds, or at the last that was tried; null where no rate was looked for. */
  atRate: { readonly outcome: Outcome | null; readonly requests: number; readonly holds: boolean } | null;
}

export const newTrack = (candidate: Candidate, index: number): Track => ({
  candidate,
  index,
  state: "untested",
  reason: null,
  cause: null,
  rung: 0,
  outcome: null,
  requests: 0,
  atRate: null,
});

/** Ends the way of a candidate. */
export function settle(track: Track, state: CandidateState, cause: string | null, reason: string | null): void {
  track.state = state;
  track.cause = cause;
  track.reason = reason;
}
