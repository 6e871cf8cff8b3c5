import type { JsonView } from "../json-view.ts";
import type { LatencyStatistics } from "../latency-statistics.ts";
import { type BenchmarkFormat, statedMetrics, statisticsAt } from "./benchmark-format.ts";

/**
 * `trtllm-bench throughput --report_json`: latencies in ms, those of streaming below `streaming_metrics`. How many
 * requests it kept under way it states as a mean over the run.
 */
export const trtllmBench: BenchmarkFormat = {
  description: "report of trtllm-bench (--report_json)",

  detects: (document) =>
    document.peek("request_info", "num_requests") !== undefined && document.peek("performance") !== undefined,

  read(document) {
    const engine = document.get("engine");
    const asked = document.get("request_info");
    const performance = document.get("performance");
    const streaming = document.get("streaming_metrics");
    const totalMs = performance.get("total_latency_ms").number();
    const rate = performance.get("request_throughput_req_s").number();
    return [
      {
        deployment: {
          model: engine.either("model", "model_path").text(),
          precision: engine.get("quantization").text(),
          devices: document.get("world_info", "world_size").whole(1),
          engine: "tensorrt-llm",
          // Written where tokens were drafted.
          drafting: document.peek("decoding_stats") === undefined ? null : "decoding_stats",
        },
        meanUnderWay: asked.get("avg_num_concurrent_requests").number(),
        requests: asked.get("num_requests"),
        seconds: totalMs === null ? null : totalMs / 1e3,
        metrics: statedMetrics({
          ttft: statistics(streaming.get("ttft_percentiles"), streaming.get("avg_ttft_ms")),
          tpot: statistics(streaming.get("tpot_percentiles"), streaming.get("avg_tpot_ms")),
          itl: null,
          e2e: statistics(performance.get("request_latency_percentiles_ms"), performance.get("avg_request_latency_ms")),
        }),
        outputTokensPerSecond: performance.get("system_output_throughput_tok_s").number(),
        requestThroughput: rate,
        meanPromptTokens: asked.get("avg_input_length").number(),
        meanOutputTokens: asked.get("avg_output_length").number(),
      },
    ];
  },
};

/** Percentiles and a mean that stands among them as `average`, or beside them. */
function statistics(percentiles: JsonView, mean: JsonView): LatencyStatistics | null {
  const stated = statisticsAt(percentiles, 1);
  const among = percentiles.stated ? percentiles.get("average").number() : null;
  const average = among ?? mean.number();
  if (average === null || average === 0) return stated;
  return { mean: average, ...stated };
}
