import type { RunDetails } from "../../src/forecast/details/run-details.ts";
import { type RequestRows, requestStatus } from "../../src/sim/result.ts";

/** Times of a request in ms after its arrival; absent where the event did not happen. */
export interface BuiltRequest {
  readonly arrivalMs: number;
  readonly queueMs?: number;
  readonly ttftMs?: number;
  readonly e2eMs?: number;
  readonly status?: keyof typeof requestStatus;
  readonly promptTokens?: number;
  readonly outputTokens?: number;
  readonly classOf?: number;
}

/** Rows of requests by hand. */
export function rowsOf(requests: readonly BuiltRequest[], changes: Partial<RequestRows> = {}): RequestRows {
  const after = (of: (request: BuiltRequest) => number | undefined) =>
    Float64Array.from(requests, (request) => (request.arrivalMs + (of(request) ?? Number.NaN)) * 1e6);
  return {
    count: requests.length,
    status: Uint8Array.from(requests, ({ status = "completed" }) => requestStatus[status]),
    arrivalNs: after(() => 0),
    scheduledNs: after(({ queueMs }) => queueMs),
    firstTokenNs: after(({ ttftMs }) => ttftMs),
    lastTokenNs: after(({ e2eMs }) => e2eMs),
    promptTokens: Uint32Array.from(requests, ({ promptTokens = 10 }) => promptTokens),
    cachedTokens: new Uint32Array(requests.length),
    outputTokens: Uint32Array.from(requests, ({ outputTokens = 5 }) => outputTokens),
    classOf: Uint16Array.from(requests, ({ classOf = 0 }) => classOf),
    classes: ["chat", "summary"],
    replicaOf: new Uint16Array(requests.length),
    preemptions: new Uint16Array(requests.length),
    warmup: 0,
    ...changes,
  };
}

/** Details of a run that tells of its requests alone. */
export const detailsWith = (requests: RequestRows): RunDetails => ({
  requests,
  handover: null,
  experts: [],
  caches: [],
  links: [],
  endNs: 1e9,
});
