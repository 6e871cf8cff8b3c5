import { type RequestRows, requestStatus } from "../../result.ts";

/** Requests for a verdict on the load, in order of arrival: those that arrived and were not rejected. */
export interface LoadRows {
  /** All of them, with NaN where a request was not scheduled or not completed. */
  readonly arrivalNs: Float64Array;
  readonly scheduledNs: Float64Array;
  readonly completedNs: Float64Array;
  /** Requests before the first unfinished one: what is known of them does not depend on their length. */
  readonly count: number;
  /** [count] time from the first step of a request to its last token. */
  readonly serviceNs: Float64Array;
  readonly promptTokens: Uint32Array;
  readonly outputTokens: Uint32Array;
}

/** Rows of a run, finished or interrupted. */
export function loadRows(requests: RequestRows): LoadRows {
  const kept: number[] = [];
  let known: number | null = null;
  for (let request = 0; request < requests.count; request++) {
    const status = requests.status[request]!;
    if (status !== requestStatus.rejected && status !== requestStatus.notArrived) kept.push(request);
  }
  // Requests that wait for others arrive in another order than that of the table.
  const { arrivalNs } = requests;
  if (kept.some((request, i) => i > 0 && arrivalNs[request]! < arrivalNs[kept[i - 1]!]!))
    kept.sort((a, b) => arrivalNs[a]! - arrivalNs[b]! || a - b);
  for (const [place, request] of kept.entries())
    if (requests.status[request]! !== requestStatus.completed) known ??= place;
  const count = known ?? kept.length;
  const done = kept.slice(0, count);
  const completed = (request: number) =>
    requests.status[request] === requestStatus.completed ? requests.lastTokenNs[request]! : Number.NaN;
  return {
    arrivalNs: Float64Array.from(kept, (request) => requests.arrivalNs[request]!),
    scheduledNs: Float64Array.from(kept, (request) => requests.scheduledNs[request]!),
    completedNs: Float64Array.from(kept, completed),
    count,
    serviceNs: Float64Array.from(done, (request) => requests.lastTokenNs[request]! - requests.scheduledNs[request]!),
    promptTokens: Uint32Array.from(done, (request) => requests.promptTokens[request]!),
    outputTokens: Uint32Array.from(done, (request) => requests.outputTokens[request]!),
  };
}
