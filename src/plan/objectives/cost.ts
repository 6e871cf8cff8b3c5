import { formatNumber } from "../../core/units.ts";
import type { Candidate } from "../space/candidates.ts";
import { figureOf } from "./figure-of.ts";
import type { Objective, OfferedTokens } from "./objective.ts";

/** Of the offered output tokens, all of which a deployment that keeps up with its load serves. */
function offered(
  { usdPerHour }: Pick<Candidate, "usdPerHour">,
  { ratePerSecond, outputTokens }: OfferedTokens,
): number | null {
  if (usdPerHour === null || ratePerSecond === null) return null;
  return (usdPerHour / 3600 / (ratePerSecond * outputTokens)) * 1e6;
}

/**
 * US dollars per million output tokens. Under open arrivals a deployment that keeps up serves what is offered, so its price decides
 * before it runs; the drain at the end of a run counts for nothing. In a closed loop the run tells.
 */
export const cost: Objective = {
  name: "cost",
  title: "lowest cost",
  text: (value) => `$${formatNumber(value)}/Mtok`,
  bound: (candidate, traffic) =>
    candidate.usdPerHour === null ? Number.POSITIVE_INFINITY : (offered(candidate, traffic) ?? 0),
  of: (candidate, outcome, traffic) => offered(candidate, traffic) ?? figureOf(outcome, "costUsdPerMtok"),
  slack: ({ ratePerSecond }) => (ratePerSecond === null ? 0.15 : 0),
};
