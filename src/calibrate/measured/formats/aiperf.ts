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
 * `profile_export_aiperf.json` of AIPerf, `profile_export_genai_perf.json` of GenAI-Perf: one object a metric with its
 * unit. Their `inter_token_latency` is one value a request, (request latency - TTFT) / (output tokens - 1), which is TPOT
 * here.
 */
export const aiperf: BenchmarkFormat = {
  description: "profile_export_aiperf.json of AIPerf, profile_export_genai_perf.json of GenAI-Perf",

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
        // Not every version of GenAI-Perf counts them.
        requests: document.get("request_count").stated ? document.get("request_count", "avg") : null,
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

/** Where versions of AIPerf, and GenAI-Perf before it, keep the load. */
const loadPlaces: readonly (readonly string[])[] = [
  ["loadgen"],
  ["phases", "profiling"],
  ["perf_analyzer", "stimulus"],
  [],
];

/**
 * What was run. The configuration is the tool's internal one and differs between versions. What is not found there is
 * not stated.
 */
function configurationOf(
  document: JsonView,
): Pick<MeasuredBenchmark, "concurrency" | "requestRate"> & { readonly model: string | null } {
  const inside = (...keys: readonly string[]) => document.peek("input_config", ...keys);
  const names = inside("endpoint", "model_names") ?? inside("model_names") ?? inside("model");
  const name = Array.isArray(names) ? (names as readonly Json[])[0] : names;
  const load = (key: string) => {
    const values = loadPlaces.map((place) => inside(...place, key));
    return (values.find((value) => typeof value === "number" && value > 0) as number | undefined) ?? null;
  };
  return {
    model: typeof name === "string" ? name : null,
    concurrency: load("concurrency"),
    requestRate: load("request_rate"),
  };
}
