import type { PlanQuestion } from "../space/question.ts";

/** A sample of the requests of a plan: its first ones, so that every run shares its draws with the longer ones. */
export interface Rung {
  readonly requests: number;
  readonly settings: readonly string[];
}

/** A sample is at least so long, and each the fraction of the next one. */
const fewest = 100;
const factor = 4;

/**
 * Growing samples of the requests, the last of them all. Traffic whose requests follow from its groups has one sample, as has a
 * closed loop with too few requests for its clients.
 */
export function rungsOf({ scenario, traffic }: PlanQuestion): Rung[] {
  const all = traffic.requests.count;
  const least = Math.max(fewest, 4 * (traffic.concurrency ?? 0));
  const counts = [all];
  if (scenario.traffic.kind !== "sharedPrefix")
    for (let n = Math.ceil(all / factor); n >= least; n = Math.ceil(n / factor)) counts.unshift(n);
  return counts.map((requests) => ({
    requests,
    settings: requests === all ? [] : [`traffic.requests=${requests}`],
  }));
}
