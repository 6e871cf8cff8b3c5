import type { JsonView } from "../json-view.ts";
import type { MeasuredRequest } from "../measured-run.ts";
import { msPerUnit } from "./aiperf.ts";

/** A way in which requests are recorded one by one, as JSON lines. */
export interface RunFormat {
  readonly description: string;
  detects(record: JsonView): boolean;
  /** A completed request; what else the record is of; null where it is wrong, which is noted at the view. */
  read(record: JsonView): MeasuredRequest | "failed" | "warm-up" | null;
  /** How figures of the format are to be understood. */
  readonly note: string;
}

/** Columns of the timestamps that a serving engine records for a request. */
export const timestampColumns = ["input_toks", "output_toks", "queued_ts", "first_token_ts", "last_token_ts"] as const;

/**
 * Timestamps of vLLM's request events, seconds of one monotonic clock. `arrival_time` is of the wall clock: it is never
 * compared with them, and arrivals are the times of queueing.
 */
const engineTimestamps: RunFormat = {
  description: "JSON lines or CSV with input_toks, output_toks, queued_ts, first_token_ts, last_token_ts (s)",
  note: "arrivals are the times at which the engine queued the requests; TTFT counts from there",

  detects: (record) => ["queued_ts", "first_token_ts"].some((key) => record.peek(key) !== undefined),

  read(record) {
    for (const key of timestampColumns) if (!record.get(key).stated) record.get(key).problem("a number");
    const promptTokens = record.get("input_toks").whole(1);
    const outputTokens = record.get("output_toks").whole(1);
    const queued = record.get("queued_ts").number();
    const first = record.get("first_token_ts").number();
    const last = record.get("last_token_ts").number();
    const scheduled = record.get("scheduled_ts").number();
    if (promptTokens === null || outputTokens === null || queued === null || first === null || last === null)
      return null;
    const times = [queued, scheduled ?? queued, first, last];
    if (times.some((time, i) => i > 0 && time < (times[i - 1] ?? 0)))
      return record.problem("queued_ts <= scheduled_ts <= first_token_ts <= last_token_ts", times.join(", "));
    return {
      arrivalSeconds: queued,
      promptTokens,
      outputTokens,
      ttftMs: (first - queued) * 1e3,
      e2eMs: (last - queued) * 1e3,
      queueMs: scheduled === null ? null : (scheduled - queued) * 1e3,
    };
  },
};

/** `profile_export.jsonl` of AIPerf: a request with its metadata and metrics, each value with its unit. */
const aiperfRecords: RunFormat = {
  description: "profile_export.jsonl of AIPerf",
  note: "arrivals are the times at which the client sent the requests",

  detects: (record) => record.peek("metadata", "request_start_ns") !== undefined,

  read(record) {
    const phase = record.peek("metadata", "benchmark_phase");
    if (phase !== undefined && phase !== "profiling") return "warm-up";
    if (record.peek("error") !== undefined) return "failed";
    const metrics = record.get("metrics");
    const required = (...keys: readonly string[]) => {
      const view = metrics.either(...keys).get("value");
      if (!view.stated) view.problem("a number");
      return view;
    };
    const ms = (key: string) => {
      const value = required(key).number();
      const scale = msPerUnit(metrics.get(key));
      return value === null || scale === null ? null : value * scale;
    };
    const promptTokens = required("input_sequence_length").whole(1);
    const outputTokens = required("output_sequence_length", "output_token_count").whole(1);
    const startNs = record.get("metadata", "request_start_ns").number();
    const ttftMs = ms("time_to_first_token");
    const e2eMs = ms("request_latency");
    if (promptTokens === null || outputTokens === null || startNs === null || ttftMs === null || e2eMs === null)
      return null;
    if (e2eMs < ttftMs) return metrics.get("request_latency").problem(`at least the TTFT (${ttftMs} ms)`, e2eMs);
    return { arrivalSeconds: startNs / 1e9, promptTokens, outputTokens, ttftMs, e2eMs, queueMs: null };
  },
};

/** Records of single requests. */
export const runFormats = {
  "engine-timestamps": engineTimestamps,
  "aiperf-records": aiperfRecords,
} as const satisfies Record<string, RunFormat>;
