import { type BenchmarkFormat, statedMetrics, statisticsAt } from "./benchmark-format.ts";

/**
 * `summary_lifecycle_metrics.json` and `stage_N_lifecycle_metrics.json` of inference-perf: latencies in seconds below
 * `successes.latency`. Only a stage states its load.
 */
export const inferencePerf: BenchmarkFormat = {
  description: "summary_lifecycle_metrics.json or stage_N_lifecycle_metrics.json of inference-perf",

  detects: (document) => document.peek("successes", "latency") !== undefined,

  read(document) {
    const successes = document.get("successes");
    const seconds = (key: string) => statisticsAt(successes.get("latency", key), 1e3);
    const load = document.get("load_summary");
    const throughput = successes.get("throughput");
    return [
      {
        concurrency: load.get("concurrency").whole(1),
        requestRate: load.get("requested_rate").number(),
        requests: successes.get("count"),
        failed: document.get("failures", "count").whole(0),
        metrics: statedMetrics({
          ttft: seconds("time_to_first_token"),
          tpot: seconds("time_per_output_token"),
          itl: seconds("inter_token_latency"),
          e2e: seconds("request_latency"),
        }),
        outputTokensPerSecond: throughput.get("output_tokens_per_sec").number(),
        requestThroughput: throughput.get("requests_per_sec").number(),
        meanPromptTokens: successes.either("prompt_len", "prompt_tokens").get("mean").number(),
        meanOutputTokens: successes.either("output_len", "output_tokens").get("mean").number(),
      },
    ];
  },
};
