import type { Scenario } from "../scenario/parse-scenario.ts";
import type { RequestTable } from "../trace/request-table.ts";

/** Fewer requests say little. */
const fewest = 100;
/** Requests of each client of a closed loop that a sample has at least: fewer would never show all clients at once. */
const ofEachClient = 4;
/** Tokens per second of a sample, as a multiple of those of all requests, at most: chance alone rarely makes them more. */
const busiest = 1.25;

/**
 * First requests that can stand for all of them, at least so many. `clients`: of a closed loop, or null. Infinity where no part can:
 * requests that follow from groups, and classes whose shares change from phase to phase.
 */
export function fewestOfAll(traffic: Scenario["traffic"], clients: number | null): number {
  if (traffic.kind === "sharedPrefix" || (traffic.kind === "generated" && traffic.phases !== undefined))
    return Number.POSITIVE_INFINITY;
  return Math.max(fewest, ofEachClient * (clients ?? 0));
}

/** Whether the first `n` requests are busier than all of them, such as the peak that a trace begins with: they say more than is so. */
export const areBusier = (requests: RequestTable, n: number): boolean =>
  tokenRate(requests, n) > busiest * tokenRate(requests, requests.count);

/** The fewest first requests that can stand for all, found by halving; Infinity where no part can. */
export function leastSample(traffic: Scenario["traffic"], requests: RequestTable, clients: number | null): number {
  const least = fewestOfAll(traffic, clients);
  if (least >= requests.count) return least;
  for (let n = requests.count >> 1; n >= least; n >>= 1) if (areBusier(requests, n)) return n * 2;
  return least;
}

/** Tokens per second of the first `n` requests; 0 where they arrive at once, as those of a closed loop may. */
function tokenRate({ arrivalNs, promptTokens, outputTokens }: RequestTable, n: number): number {
  let [first, last, tokens] = [Number.POSITIVE_INFINITY, 0, 0];
  for (let i = 0; i < n; i++) {
    first = Math.min(first, arrivalNs[i]!);
    last = Math.max(last, arrivalNs[i]!);
    tokens += promptTokens[i]! + outputTokens[i]!;
  }
  return last > first ? tokens / (last - first) : 0;
}
