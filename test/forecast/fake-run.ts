import { LogHistogram } from "../../src/core/histogram.ts";
import { type RequestRows, type RunResult, requestStatus, timeComponents } from "../../src/sim/result.ts";

/** One request of a made-up run; times in ms after its arrival. */
export interface FakeRequest {
  readonly arrivalMs: number;
  readonly queueMs?: number;
  readonly ttftMs?: number;
  readonly e2eMs?: number;
  readonly outputTokens?: number;
  readonly requestClass?: string;
  readonly status?: keyof typeof requestStatus;
}

const ms = 1e6;

/** Rows of made-up requests; those that are not completed have no times. */
function fakeRows(requests: readonly FakeRequest[], warmup = 0): RequestRows {
  const classes = [...new Set(requests.map(({ requestClass = "all" }) => requestClass))];
  const time = (of: (request: FakeRequest) => number) =>
    Float64Array.from(requests, (request) =>
      (request.status ?? "completed") === "completed" ? (request.arrivalMs + of(request)) * ms : Number.NaN,
    );
  return {
    count: requests.length,
    status: Uint8Array.from(requests, ({ status = "completed" }) => requestStatus[status]),
    arrivalNs: Float64Array.from(requests, ({ arrivalMs }) => arrivalMs * ms),
    scheduledNs: time(({ queueMs = 0 }) => queueMs),
    firstTokenNs: time(({ ttftMs = 10 }) => ttftMs),
    lastTokenNs: time(({ e2eMs = 100 }) => e2eMs),
    promptTokens: new Uint32Array(requests.length).fill(20),
    cachedTokens: new Uint32Array(requests.length),
    outputTokens: Uint32Array.from(requests, ({ outputTokens = 10 }) => outputTokens),
    classOf: Uint16Array.from(requests, ({ requestClass = "all" }) => classes.indexOf(requestClass)),
    classes,
    replicaOf: new Uint16Array(requests.length),
    preemptions: new Uint16Array(requests.length),
    warmup,
  };
}

/** A run of made-up requests that kept up with its load; parts can be replaced. */
export function fakeRun(requests: readonly FakeRequest[], parts: Partial<RunResult> = {}, warmup = 0): RunResult {
  const rows = fakeRows(requests, warmup);
  const endNs = Math.max(0, ...rows.lastTokenNs.filter((at) => !Number.isNaN(at)));
  const itl = new LogHistogram();
  for (const { e2eMs = 100, ttftMs = 10, outputTokens = 10 } of requests.slice(warmup))
    if (outputTokens > 1) itl.record(((e2eMs - ttftMs) / (outputTokens - 1)) * ms, outputTokens - 1);
  return {
    requests: rows,
    itl,
    endNs,
    steps: 100,
    promptTokensComputed: 20 * requests.length,
    outputTokens: rows.outputTokens.reduce((sum, tokens) => sum + tokens, 0),
    replicaBusyNs: [endNs / 2],
    promptBusyNs: endNs / 8,
    frontEnds: { busyNs: [], waitNs: 0 },
    speculation: null,
    pools: [],
    handover: null,
    modelCache: null,
    time: Object.fromEntries(timeComponents.map((component, at) => [component, at])) as RunResult["time"],
    layers: [],
    rankLoad: [],
    rankBalance: null,
    exchange: null,
    cache: null,
    resources: [{ name: "replica 0", busyNs: endNs / 2, bytes: 0 }],
    memory: { tiers: [], kvBlocks: 100, kvBytesPerToken: 1 },
    kv: { blocks: 100, peakBlocks: 25, preemptions: 3, prefixHitTokens: 0, prefixLookupTokens: 0 },
    series: {
      intervalNs: Math.max(1, endNs / 100),
      waiting: new Float64Array(100),
      running: new Float64Array(100),
      kvUse: new Float64Array(100),
      outputTokens: new Float64Array(100),
    },
    load: { kind: "closed", concurrency: 1 },
    routing: null,
    ledger: [],
    interrupted: false,
    laws: {},
    ...parts,
  };
}

/** Requests of one token at 2/ms on a server that takes one ms for each: the queue grows by half of them. */
export const overloadedRun = (count: number, parts: Partial<RunResult> = {}): RunResult =>
  fakeRun(
    Array.from({ length: count }, (_, at) => ({
      arrivalMs: at / 2,
      queueMs: at / 2,
      ttftMs: at / 2 + 1,
      e2eMs: at / 2 + 1,
    })),
    { load: { kind: "open" }, ...parts },
  );

/** Requests one after the other whose end-to-end latencies are 1, 2, 3, ... ms. */
export const ascending = (count: number): FakeRequest[] =>
  Array.from({ length: count }, (_, at) => ({ arrivalMs: at, ttftMs: (at + 1) / 2, e2eMs: at + 1, outputTokens: 11 }));
