import type { PlanCandidate, PlanDocument } from "./plan-document.ts";

/**
 * Settings under which a candidate stands, over the scenario and what its plan laid over that: its own, and those of the traffic. A
 * run that had to be longer than the scenario's is as long again.
 */
export function runSettings(
  { traffic }: Pick<PlanDocument, "traffic">,
  candidate: PlanCandidate,
  load: readonly string[],
): string[] {
  const isLonger = load.length === 0 && candidate.requests > traffic.requests;
  return [...candidate.settings, ...load, ...(isLonger ? [`traffic.requests=${candidate.requests}`] : [])];
}
