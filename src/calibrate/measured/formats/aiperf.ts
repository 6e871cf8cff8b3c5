import type { Json } from "../../../core/json.ts";
import type { JsonView } from "../json-view.ts";
import type { LatencyStatistics } from "../latency-statistics.ts";
import type { MeasuredBenchmark } from "../measured-benchmark.ts";
import { type BenchmarkFormat, statedMetrics, statisticsAt } from "./benchmark-format.ts";

/** Milliseconds in the units that AIPerf labels its values with; the label is authoritative. */
const msPer: Readonly<Record<string, number>> = { ns: 1e-6, us: 1e-3, ms: 1, s: 1e3, sec: 1e3 };

/** A value of AIPerf in ms by its unit; notes an unknown unit. */
export function msPerUnit(metric: JsonView): number | null {
  const unit = metric.get("unit");
  const name = unit.text() ?? "ms";
  if (Object.hasOwn(msPer, name)) return msPer[name] ?? null;
  return unit.problem(`one of ${Object.keys(msPer).join(", ")}`, name);
}

/**
 * `profile_export_aiperf.json` of AIPerf: one object a metric with its unit. Its `inter_token_latency` is one value a
 * request, (request latency - TTFT) / (output tokens - 1), which is TPOT here.
 */
export const aiperf: BenchmarkFormat = {
  description: "profile_export_aiperf.json of AIPerf",

  detects: (document) =>
    ["request_latency", "time_to_first_token", "request_count"].some((key) => document.peek(key, "avg") !== undefined),

  read(document) {
    const latency = (key: string): LatencyStatistics | null => {
      const metric = document.get(key);
      const scale = metric.stated ? msPerUnit(metric) : null;
      return scale === null ? null : statisticsAt(metric, scale);
    };
    const average = (key: string) => document.get(key, "avg").number();
    const { concurrency, requestRate, model } = configurationOf(document);
    return [
      {
        deployment: { model },
        concurrency,
        requestRate,
        requests: document.get("request_count", "avg"),
        failed: average("error_request_count"),
        seconds: secondsOf(document.get("benchmark_duration")),
        metrics: statedMetrics({
          ttft: latency("time_to_first_token"),
          tpot: latency("inter_token_latency"),
          itl: null,
          e2e: latency("request_latency"),
        }),
        outputTokensPerSecond: average("output_token_throughput"),
        requestThroughput: average("request_throughput"),
        meanPromptTokens: average("input_sequence_length"),
        meanOutputTokens: average("output_sequence_length"),
      },
    ];
  },
};

function secondsOf(duration: JsonView): number | null {
  const value = duration.get("avg").number();
  const ms = value === null ? null : msPerUnit(duration);
  return value === null || ms === null ? null : (value * ms) / 1e3;
}

/**
 * What was run. The configuration is AIPerf's internal one and differs between versions: the load lies under `loadgen`,
 * in later ones in the profiled phase. What is not found there is not stated.
 */
function configurationOf(
  document: JsonView,
): Pick<MeasuredBenchmark, "concurrency" | "requestRate"> & { readonly model: string | null } {
  const names = document.peek("input_config", "endpoint", "model_names");
  const name = Array.isArray(names) ? (names as readonly Json[])[0] : names;
  const load = (key: string) => {
    const value =
      document.peek("input_config", "loadgen", key) ?? document.peek("input_config", "phases", "profiling", key);
    return typeof value === "number" && value > 0 ? value : null;
  };
  return {
    model: typeof name === "string" ? name : null,
    concurrency: load("concurrency"),
    requestRate: load("request_rate"),
  };
}
