import { formatNumber } from "../../core/units.ts";
import type { Outcome } from "../job/job.ts";
import { figureOf } from "../objectives/figure-of.ts";
import type { Rung } from "./rungs.ts";
import { type CandidateState, settle, type Track } from "./track.ts";

/** A short run excludes a deployment only where even its best reading is so far beyond a limit. */
const beyond = 1.1;
/** Cause of candidates of which nothing is known. */
export const tooShort = "too short to tell";

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
export function takeOutcome(track: Track, outcome: Outcome, rung: Rung, isLast: boolean): void {
  track.outcome = outcome;
  track.requests = rung.requests;
  track.rung += 1;
  const end = endOf(outcome, rung.decides, isLast);
  if (end !== null) settle(track, end.state, end.cause, end.reason);
}

function endOf(outcome: Outcome, decides: boolean, isLast: boolean): End | null {
  const infeasible = (cause: string | null, reason: string | null): End => ({ state: "infeasible", cause, reason });
  if (outcome.status === "failed") return { state: "failed", cause: "failed", reason: outcome.reason };
  if (outcome.status !== "done") return infeasible(outcome.status, outcome.reason);
  if (outcome.verdict === "overloaded") {
    const rate = figureOf(outcome, "sustainedRequestRate");
    return infeasible(
      "overloaded",
      `overloaded${rate === null ? "" : `: it sustains ${formatNumber(rate, 3)} requests/s`}`,
    );
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

/** `ttft p(99)<1s is missed by 40%`. */
export function brokenText({ binding, strain, verdict }: Outcome): string {
  if (verdict === "tooShort" && (strain ?? 0) <= 1) return "the run is too short to tell whether it keeps up";
  if (binding === null || strain === null) return "an SLO has nothing to be judged by";
  if (strain <= 1) return `${binding}: too few samples to clear the limit`;
  const text = strain < 2 ? `${formatNumber((strain - 1) * 100, 2)}%` : `a factor of ${formatNumber(strain, 2)}`;
  return `${binding} is missed by ${text}`;
}
