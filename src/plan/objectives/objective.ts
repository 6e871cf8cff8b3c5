import type { Outcome } from "../job/job.ts";
import type { Candidate } from "../space/candidates.ts";
import type { PlanTraffic } from "../space/question.ts";

/** What of the traffic a run is judged by. */
export type OfferedTokens = Pick<PlanTraffic, "ratePerSecond" | "outputTokens">;

/** What a plan looks for among deployments that meet the SLOs: one file each, listed in `objectives.ts`. Less is better. */
export interface Objective {
  readonly name: string;
  /** In words, as a verdict names it. */
  readonly title: string;
  /** The objective as people read it, of a value. */
  readonly text: (value: number) => string;
  /** What a deployment cannot be better than, known before it runs. */
  readonly bound: (candidate: Candidate, traffic: PlanTraffic) => number;
  /** Of a run; null where it has none, such as a cost without a price. */
  readonly of: (
    candidate: Pick<Candidate, "devices" | "usdPerHour">,
    outcome: Outcome,
    traffic: OfferedTokens,
  ) => number | null;
  /** How much better a longer run may show it than a shorter one, as a share. 0 where it is known before anything runs. */
  readonly slack: (traffic: PlanTraffic) => number;
}
