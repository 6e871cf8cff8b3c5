import { formatCount, formatNumber } from "../../core/units.ts";
import { sustainedText } from "../../sim/outcome/load/load-text.ts";
import type { Outcome } from "../job/job.ts";
import { figureOf } from "../objectives/figure-of.ts";
import type { PlanTraffic } from "../space/question.ts";
import type { Rung } from "./rungs.ts";
import { type CandidateState, settle, type Track } from "./track.ts";

/** A short run excludes a deployment only where even its best reading is so far beyond a limit. */
const beyond = 1.1;
/** Cause of candidates of which nothing is known. */
export const tooShort = "too short to tell";

type Rejecting = Pick<PlanTraffic, "mayReject">;

/** Whether a run meets all that is asked for: it keeps up, serves every request that it has to, and every SLO holds. */
export const meetsAll = (outcome: Outcome, traffic: Rejecting): boolean =>
  outcome.status === "done" &&
  outcome.passed === true &&
  outcome.verdict === "stable" &&
  rejectedText(outcome, traffic) === null;

/** Why a run falls short by the requests that it rejected; null where it does not. */
function rejectedText(outcome: Outcome, { mayReject }: Rejecting): string | null {
  const rejected = outcome.status === "done" ? (figureOf(outcome, "rejected") ?? 0) : 0;
  if (mayReject || rejected === 0) return null;
  const of = figureOf(outcome, "requests");
  return `it cannot serve ${formatCount(rejected)}${of === null ? "" : ` of ${formatCount(of)}`} requests at all (an SLO on rejected says how many may be)`;
}

/** Why a candidate does not go on. */
interface End {
  readonly state: CandidateState;
  readonly cause: string | null;
  readonly reason: string | null;
}

/**
 * Takes the outcome of a run on a sample. A sample excludes what is overloaded beyond chance, and what breaks an SLO beyond its
 * interval: longer runs only show more load. The run over all requests decides, and a longer one where that is too short to tell.
 */
export function takeOutcome(
  track: Track,
  outcome: Outcome,
  rung: Rung,
  { isLast, traffic }: { readonly isLast: boolean; readonly traffic: Rejecting },
): void {
  track.outcome = outcome;
  track.requests = rung.requests;
  track.rung += 1;
  const end = endOf(outcome, rung.decides, isLast, traffic);
  if (end !== null) settle(track, end.state, end.cause, end.reason);
}

function endOf(outcome: Outcome, decides: boolean, isLast: boolean, traffic: Rejecting): End | null {
  const infeasible = (cause: string | null, reason: string | null): End => ({ state: "infeasible", cause, reason });
  if (outcome.status === "failed") return { state: "failed", cause: "failed", reason: outcome.reason };
  if (outcome.status !== "done") return infeasible(outcome.status, outcome.reason);
  const rejected = rejectedText(outcome, traffic);
  if (rejected !== null) return infeasible("rejected", rejected);
  if (outcome.verdict === "overloaded") {
    const sustains = sustainedText({
      sustainedRequestsPerSecond: figureOf(outcome, "sustainedRequestRate"),
      sustainedHalfWidth: figureOf(outcome, "sustainedHalfWidth"),
    });
    return infeasible("overloaded", `overloaded${sustains === null ? "" : `: it sustains ${sustains}`}`);
  }
  if (!decides)
    return outcome.strainAtBest !== null && outcome.strainAtBest > beyond
      ? infeasible(outcome.binding, brokenText(outcome))
      : null;
  if (outcome.verdict === "tooShort" && (outcome.strainAtBest ?? 0) <= 1)
    return isLast
      ? infeasible(tooShort, "the longest run is too short to tell whether it keeps up: more traffic.requests would")
      : null;
  return outcome.passed === true
    ? { state: "feasible", cause: null, reason: null }
    : infeasible(outcome.binding, brokenText(outcome));
}

/** Why a run does not meet all that is asked for, where it does not. */
export function shortfallOf(outcome: Outcome, traffic: Rejecting): string {
  if (outcome.status !== "done") return outcome.reason ?? outcome.status;
  const rejected = rejectedText(outcome, traffic);
  if (rejected !== null) return rejected;
  if (outcome.verdict === "overloaded") return "overloaded";
  return outcome.verdict === "tooShort" && (outcome.strain ?? 0) <= 1 ? "too short to tell" : brokenText(outcome);
}

/** `ttft p(99)<1s is missed by 40%`. */
export function brokenText({ binding, strain, verdict }: Outcome): string {
  if (verdict === "tooShort" && (strain ?? 0) <= 1) return "the run is too short to tell whether it keeps up";
  if (binding === null || strain === null) return "an SLO has nothing to be judged by";
  if (strain <= 1) return `${binding}: too few samples to clear the limit`;
  const text = strain < 2 ? `${formatNumber((strain - 1) * 100, 2)}%` : `a factor of ${formatNumber(strain, 2)}`;
  return `${binding} is missed by ${text}`;
}
