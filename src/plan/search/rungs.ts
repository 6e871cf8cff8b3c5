import type { RequestTable } from "../../trace/request-table.ts";
import type { PlanQuestion } from "../space/question.ts";

/** A sample of the requests of a plan: its first ones, so that every run shares its draws with the longer ones. */
export interface Rung {
  readonly requests: number;
  readonly settings: readonly string[];
}

/** A sample is at least so long, and each the fraction of the next one. */
const fewest = 100;
const factor = 4;
/** Tokens per second of a sample, as a multiple of those of all requests, at most: chance alone rarely makes them more. */
const busiest = 1.25;

/**
 * Growing samples of the requests, the last of them all. Traffic whose requests follow from its groups has one sample, as has a
 * closed loop with too few requests for its clients. First requests that are busier than all of them, such as the peak that a trace
 * begins with, are no sample: they would exclude what keeps up with the whole.
 */
export function rungsOf({ scenario, traffic }: PlanQuestion): Rung[] {
  const all = traffic.requests.count;
  const least = Math.max(fewest, 4 * (traffic.concurrency ?? 0));
  const counts = [all];
  if (scenario.traffic.kind !== "sharedPrefix")
    for (let n = Math.ceil(all / factor); n >= least; n = Math.ceil(n / factor))
      if (load(traffic.requests, n) <= busiest * load(traffic.requests, all)) counts.unshift(n);
  return counts.map((requests) => ({
    requests,
    settings: requests === all ? [] : [`traffic.requests=${requests}`],
  }));
}

/** Tokens per second of the first `n` requests; 0 where they arrive at once, as those of a closed loop may. */
function load({ arrivalNs, promptTokens, outputTokens }: RequestTable, n: number): number {
  let [first, last, tokens] = [Number.POSITIVE_INFINITY, 0, 0];
  for (let i = 0; i < n; i++) {
    first = Math.min(first, arrivalNs[i]!);
    last = Math.max(last, arrivalNs[i]!);
    tokens += promptTokens[i]! + outputTokens[i]!;
  }
  return last > first ? tokens / (last - first) : 0;
}
