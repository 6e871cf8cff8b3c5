import type { PlanCandidate, PlanDocument } from "./plan-document.ts";

/**
 * Settings of the traffic under which a candidate stands, beside its own: those with which it was found, or the length of its
 * longest run where that had to be longer than the scenario's.
 */
export function standingLoad(
  { traffic }: Pick<PlanDocument, "traffic">,
  { requests }: Pick<PlanCandidate, "requests">,
  found: readonly string[],
): readonly string[] {
  return found.length === 0 && requests > traffic.requests ? [`traffic.requests=${requests}`] : found;
}
