import { refuse } from "../../core/errors.ts";
import type { RequestTable } from "../../trace/request-table.ts";
import { type LatencyStatistics, latencyStatistics } from "./latency-statistics.ts";

/** Where a measurement comes from. */
export interface MeasurementSource {
  readonly file: string;
  /** sha256 of the text, hex. */
  readonly digest: string;
}

/** A measured run request by request, ordered by arrival. Latencies ms; index i is request i of `requests`. */
export interface MeasuredRun {
  /** What has to be replayed. Arrivals count from the first. */
  readonly requests: RequestTable;
  readonly ttftMs: Float64Array;
  /** (last token - first token) / (output tokens - 1); NaN for a single output token. */
  readonly tpotMs: Float64Array;
  readonly e2eMs: Float64Array;
  /** From arrival to the first scheduling; null where the source does not state it. */
  readonly queueMs: Float64Array | null;
  readonly source: MeasurementSource;
}

/** One completed request as a reader hands it over. */
export interface MeasuredRequest {
  /** On any clock that all requests share. */
  readonly arrivalSeconds: number;
  readonly promptTokens: number;
  readonly outputTokens: number;
  readonly ttftMs: number;
  readonly e2eMs: number;
  /** Given where the source states it; else from TTFT, E2E and the output tokens. */
  readonly tpotMs?: number;
  readonly queueMs: number | null;
}

/** Sorts requests by arrival and lays them out as arrays. Refuses a run without requests. */
export function measuredRun(
  given: readonly MeasuredRequest[],
  source: MeasurementSource,
  notes: readonly string[],
): MeasuredRun {
  if (given.length === 0) refuse({ file: source.file, expected: "at least one completed request", found: "none" });
  const rows = [...given].sort((a, b) => a.arrivalSeconds - b.arrivalSeconds);
  const start = rows[0]?.arrivalSeconds ?? 0;
  const count = rows.length;
  const column = (value: (row: MeasuredRequest) => number) => Float64Array.from(rows, value);
  return {
    requests: {
      count,
      arrivalNs: column((row) => Math.round((row.arrivalSeconds - start) * 1e9)),
      promptTokens: Uint32Array.from(rows, (row) => row.promptTokens),
      outputTokens: Uint32Array.from(rows, (row) => row.outputTokens),
      classOf: new Uint16Array(count),
      classes: ["default"],
      domainOf: null,
      domains: [],
      prefix: null,
      origin: { kind: "recorded", name: source.file, digest: source.digest, notes },
    },
    ttftMs: column((row) => row.ttftMs),
    tpotMs: column(tpotOf),
    e2eMs: column((row) => row.e2eMs),
    queueMs: rows.every((row) => row.queueMs !== null) ? column((row) => row.queueMs ?? 0) : null,
    source,
  };
}

function tpotOf({ outputTokens, ttftMs, e2eMs, tpotMs }: MeasuredRequest): number {
  if (outputTokens < 2) return Number.NaN;
  return tpotMs ?? (e2eMs - ttftMs) / (outputTokens - 1);
}

/** What a run shows as a whole. */
export interface RunStatistics {
  readonly ttft: LatencyStatistics;
  readonly tpot: LatencyStatistics;
  readonly e2e: LatencyStatistics;
  /** From the first arrival to the last token, s. */
  readonly seconds: number;
  readonly outputTokensPerSecond: number;
  readonly requestsPerSecond: number;
}

/** Statistics over all requests of a run, warm-up and drain included. */
export function runStatistics(run: MeasuredRun): RunStatistics {
  const { count, arrivalNs, outputTokens } = run.requests;
  const ends = arrivalNs.map((arrival, i) => arrival + (run.e2eMs[i] ?? 0) * 1e6);
  const seconds = ends.reduce((last, end) => Math.max(last, end), 0) / 1e9;
  const tokens = outputTokens.reduce((sum, value) => sum + value, 0);
  return {
    ttft: latencyStatistics(run.ttftMs),
    tpot: latencyStatistics(run.tpotMs),
    e2e: latencyStatistics(run.e2eMs),
    seconds,
    outputTokensPerSecond: tokens / seconds,
    requestsPerSecond: count / seconds,
  };
}
