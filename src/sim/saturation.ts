import type { RequestState } from "./request-state.ts";
import { requestStatus, type Saturation } from "./result.ts";

/** Waiting requests at the last arrival that count as a backlog: this share of all, and at least this many. */
const backlogShare = 0.05;
const backlogMin = 16;
/** Completions keep up when they reach this share of arrivals over the second half of the arrivals. */
const keepsUp = 0.97;

/**
 * Whether an open workload outruns the deployment: at the last arrival a backlog is waiting, and over the second half of
 * the arrival span fewer requests completed than arrived. The largest rate it sustains is then the completion rate of
 * that half, when the deployment was never short of work.
 */
export function judgeSaturation(state: RequestState, open: boolean, waitingAtLastArrival: number): Saturation {
  if (!open)
    return {
      verdict: "closed-loop",
      offeredRequestsPerSecond: null,
      sustainedRequestsPerSecond: completionRate(state),
      reason: "a closed loop sends the next request when the last one is finished",
    };
  const n = state.count;
  const spanNs = n === 0 ? 0 : state.arrivalNs[n - 1]! - state.arrivalNs[0]!;
  if (n < 2 || spanNs <= 0)
    return {
      verdict: "stable",
      offeredRequestsPerSecond: null,
      sustainedRequestsPerSecond: null,
      reason: "too few arrivals to speak of a rate",
    };
  const half = state.arrivalNs[0]! + spanNs / 2;
  const end = state.arrivalNs[n - 1]!;
  let arrived = 0;
  let completed = 0;
  for (let request = 0; request < n; request++) {
    if (state.arrivalNs[request]! >= half && state.status[request] !== requestStatus.rejected) arrived++;
    const last = state.lastTokenNs[request]!;
    if (state.status[request] === requestStatus.completed && last >= half && last < end) completed++;
  }
  const seconds = spanNs / 2 / 1e9;
  const offered = (n - 1) / (spanNs / 1e9);
  const backlog = waitingAtLastArrival > Math.max(backlogMin, backlogShare * n);
  const slower = completed < keepsUp * arrived;
  const overloaded = backlog && slower;
  return {
    verdict: overloaded ? "overloaded" : "stable",
    offeredRequestsPerSecond: offered,
    sustainedRequestsPerSecond: overloaded ? completed / seconds : null,
    reason:
      `${waitingAtLastArrival} of ${n} requests were waiting at the last arrival; ` +
      `in the second half ${arrived} arrived and ${completed} completed`,
  };
}

/** Completions per second from the first arrival to the last completion. */
function completionRate(state: RequestState): number | null {
  let completed = 0;
  let last = 0;
  for (let request = 0; request < state.count; request++) {
    if (state.status[request] !== requestStatus.completed) continue;
    completed++;
    last = Math.max(last, state.lastTokenNs[request]!);
  }
  return completed === 0 || last === 0 ? null : completed / (last / 1e9);
}
