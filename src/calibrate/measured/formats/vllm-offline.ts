import { type BenchmarkFormat, statedMetrics, statisticsFrom } from "./benchmark-format.ts";

/** `vllm bench throughput --output-json`: all requests at once, without latencies or lengths. */
export const vllmThroughput: BenchmarkFormat = {
  description: "JSON of vllm bench throughput",
  ratesOnly: true,

  detects: (document) =>
    document.peek("elapsed_time") !== undefined && document.peek("requests_per_second") !== undefined,

  read: (document) => [
    {
      concurrency: document.get("num_requests").whole(1),
      requests: document.get("num_requests"),
      seconds: document.get("elapsed_time").number(),
      requestThroughput: document.get("requests_per_second").number(),
    },
  ],
};

/** `vllm bench latency --output-json`: the time of a whole batch, s, over repetitions. */
export const vllmLatency: BenchmarkFormat = {
  description: "JSON of vllm bench latency",

  detects: (document) => document.peek("avg_latency") !== undefined && document.peek("percentiles") !== undefined,

  read(document) {
    const rank = (name: string) => document.get("percentiles", name.replace("p", ""));
    const e2e = statisticsFrom((name) => (name === "mean" ? document.get("avg_latency") : rank(name)), 1e3);
    return [{ requests: null, metrics: statedMetrics({ ttft: null, tpot: null, itl: null, e2e }) }];
  },
};
