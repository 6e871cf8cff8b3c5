import type { RequestState } from "./request-state.ts";
import { requestStatus, type Saturation } from "./result.ts";

/** Waiting requests at the last arrival that count as a backlog: this share of all, and at least this many. */
const backlogShare = 0.05;
const backlogMin = 16;
/** Completions keep up when they reach this share of arrivals over the second half of the arrivals. */
const keepsUp = 0.97;
/** A backlog younger than this share of the arrival span is a burst, not a trend. */
const burstShare = 0.25;

/** Growth of the requests in the system over the second half of the arrivals that counts as a trend: this share of all. */
const growthShare = 0.1;
/** Arrivals at the start whose latency tells how long the system takes to fill. */
const fillShare = 0.05;

/** Waiting requests of a run, as far as it went. */
interface Backlog {
  /** Requests waiting when the last request arrived; null if it has not arrived. */
  readonly waitingAtLastArrival: number | null;
  /** Until when, at least, nobody waited before that arrival, ns. */
  readonly queueEmptyNs: number;
}

/**
 * Whether an open workload outruns the deployment. Either a backlog waits at the last arrival, the queue was not empty
 * once during the last quarter of the arrival span, and over its second half fewer requests completed than arrived; or
 * nobody has to wait, since the batch takes everyone in, but the batch itself keeps growing through the second half. The
 * largest rate it sustains is then the completion rate of the time in which the deployment was never short of work. A run
 * that was interrupted is judged by the requests that had arrived.
 */
export function judgeSaturation(state: RequestState, open: boolean, backlog: Backlog): Saturation {
  if (!open)
    return {
      verdict: "closed-loop",
      offeredRequestsPerSecond: null,
      sustainedRequestsPerSecond: drainedRate(state, state.count),
      reason: "a closed loop sends the next request when the last one is finished",
    };
  let n = state.count;
  while (n > 0 && state.status[n - 1] === requestStatus.notArrived) n--;
  const first = n === 0 ? 0 : state.arrivalNs[0]!;
  const end = n === 0 ? 0 : state.arrivalNs[n - 1]!;
  const spanNs = end - first;
  if (n < 2 || spanNs <= 0)
    return {
      verdict: "stable",
      offeredRequestsPerSecond: null,
      sustainedRequestsPerSecond: null,
      reason: "too few arrivals to speak of a rate",
    };
  const half = first + spanNs / 2;
  const waiting =
    backlog.waitingAtLastArrival ?? count(n, (request) => state.status[request] === requestStatus.waiting);
  const completedSince = (fromNs: number) =>
    count(n, (request) => {
      const last = state.lastTokenNs[request]!;
      return state.status[request] === requestStatus.completed && last >= fromNs && last < end;
    });
  const arrived = count(
    n,
    (request) => state.arrivalNs[request]! >= half && state.status[request] !== requestStatus.rejected,
  );
  const completed = completedSince(half);
  const lasting = end - Math.max(first, backlog.queueEmptyNs) >= burstShare * spanNs;
  const queued = lasting && waiting > Math.max(backlogMin, backlogShare * n);
  const growing = !queued && batchGrows(state, n);
  const overloaded = (queued || growing) && completed < keepsUp * arrived;
  const busyFrom = Math.max(half, backlog.queueEmptyNs);
  // A growing batch finishes ever later what it took in: only with the drain after the last arrival do completions count
  // all that was served.
  const sustained = growing ? drainedRate(state, n) : completedSince(busyFrom) / ((end - busyFrom) / 1e9);
  return {
    verdict: overloaded ? "overloaded" : "stable",
    offeredRequestsPerSecond: (n - 1) / (spanNs / 1e9),
    sustainedRequestsPerSecond: overloaded ? sustained : null,
    reason:
      `${waiting} of ${n} requests were waiting at the last arrival` +
      `${waiting > 0 && !lasting ? ", none of them a while before" : ""}; ` +
      `in the second half ${arrived} arrived and ${completed} completed` +
      `${growing ? ", while ever more ran at once" : ""}`,
  };
}

/**
 * Whether the number of requests in the system rises from the middle of the arrivals to three quarters and on to the
 * end, by a tenth of all requests. A run shorter than eight times the latency of its first requests may still be filling
 * up and is not judged.
 */
function batchGrows(state: RequestState, n: number): boolean {
  const first = state.arrivalNs[0]!;
  const spanNs = state.arrivalNs[n - 1]! - first;
  const early = Math.max(1, Math.floor(fillShare * n));
  let fillNs = 0;
  for (let request = 0; request < early; request++) {
    if (state.status[request] !== requestStatus.completed) return false;
    fillNs += (state.lastTokenNs[request]! - state.arrivalNs[request]!) / early;
  }
  if (8 * fillNs > spanNs) return false;
  const inSystem = (share: number) => {
    const at = first + share * spanNs;
    return count(
      n,
      (request) =>
        state.arrivalNs[request]! <= at &&
        state.status[request] !== requestStatus.rejected &&
        !(state.status[request] === requestStatus.completed && state.lastTokenNs[request]! <= at),
    );
  };
  const [middle, later, end] = [inSystem(0.5), inSystem(0.75), inSystem(1)];
  return later > middle && end > later && end - middle > Math.max(backlogMin, growthShare * n);
}

/** How many of the first n requests match. */
function count(n: number, matches: (request: number) => boolean): number {
  let found = 0;
  for (let request = 0; request < n; request++) if (matches(request)) found++;
  return found;
}

/** Completions of the first n requests per second from the first arrival to the last completion; null without any. */
function drainedRate(state: RequestState, n: number): number | null {
  let completed = 0;
  let last = 0;
  for (let request = 0; request < n; request++) {
    if (state.status[request] !== requestStatus.completed) continue;
    completed++;
    last = Math.max(last, state.lastTokenNs[request]!);
  }
  const spanNs = last - (state.arrivalNs[0] ?? 0);
  return completed === 0 || spanNs <= 0 ? null : completed / (spanNs / 1e9);
}
