import type { JsonView } from "../json-view.ts";
import { type MeasuredRequest, type MeasuredRun, type MeasurementSource, measuredRun } from "../measured-run.ts";
import { type BenchmarkFormat, type BenchmarkReading, statedMetrics, statisticsAt } from "./benchmark-format.ts";

/**
 * `benchmarks.json` of GuideLLM: one benchmark per load level; E2E in seconds, the other latencies in ms. Its
 * `inter_token_latency_ms` leaves the first token out and is TPOT here (its mean weighs requests by their tokens); its
 * `time_per_output_token_ms` counts the first token in and is not read.
 */
export const guidellm: BenchmarkFormat = {
  description: "benchmarks.json of GuideLLM",

  detects: (document) => Array.isArray(document.peek("benchmarks")),

  read(document, source) {
    const benchmarks = document.get("benchmarks").items() ?? [];
    if (benchmarks.length === 0) document.get("benchmarks").problem("at least one benchmark", "none");
    return benchmarks.map((benchmark) => readBenchmark(benchmark, document, source));
  },
};

function readBenchmark(benchmark: JsonView, document: JsonView, source: MeasurementSource): BenchmarkReading {
  const metrics = benchmark.get("metrics");
  const successful = (key: string) => metrics.get(key, "successful");
  const mean = (key: string) => successful(key).get("mean").number();
  const strategy = benchmark.either("config", "args").get("strategy");
  const countOf = (outcome: string) => {
    const inMetrics = metrics.get("request_totals", outcome);
    return inMetrics.stated ? inMetrics : benchmark.get("request_totals", outcome);
  };
  return {
    deployment: { model: modelOfRun(benchmark, document) },
    concurrency: strategy.peek("type_") === "synchronous" ? 1 : strategy.get("streams").whole(1),
    requestRate: strategy.get("rate").number(),
    requests: countOf("successful"),
    failed: countOf("errored").whole(0),
    metrics: statedMetrics({
      ttft: statisticsAt(successful("time_to_first_token_ms"), 1),
      tpot: statisticsAt(successful("inter_token_latency_ms"), 1),
      itl: null,
      e2e: statisticsAt(successful("request_latency"), 1e3),
    }),
    outputTokensPerSecond: mean("output_tokens_per_second"),
    requestThroughput: mean("requests_per_second"),
    meanPromptTokens: mean("prompt_token_count"),
    meanOutputTokens: mean("output_token_count"),
    perRequest: runOf(benchmark, source),
  };
}

/** Versions name the model in different places. */
function modelOfRun(benchmark: JsonView, document: JsonView): string | null {
  const places = [
    document.peek("args", "model"),
    document.peek("args", "backend_kwargs", "model"),
    benchmark.peek("config", "backend", "model"),
  ];
  return places.find((place) => typeof place === "string") ?? null;
}

/** The requests that the file lists; null where one of them lacks a figure, as without streaming. */
function runOf(benchmark: JsonView, source: MeasurementSource): MeasuredRun | null {
  const listed = benchmark.get("requests", "successful").items() ?? [];
  const rows = listed.map(requestOf);
  const complete = rows.filter((row) => row !== null);
  if (complete.length === 0 || complete.length < rows.length) return null;
  return measuredRun(complete, source, ["GuideLLM may list a sample of the requests only"]);
}

function requestOf(request: JsonView): MeasuredRequest | null {
  const arrivalSeconds = request.get("request_start_time").number();
  const promptTokens = request.get("prompt_tokens").whole(1);
  const outputTokens = request.get("output_tokens").whole(1);
  const ttftMs = request.get("time_to_first_token_ms").number();
  const seconds = request.get("request_latency").number();
  const tpotMs = request.get("inter_token_latency_ms").number();
  if (arrivalSeconds === null || promptTokens === null || outputTokens === null) return null;
  if (ttftMs === null || seconds === null) return null;
  const tpot = tpotMs === null ? {} : { tpotMs };
  return { arrivalSeconds, promptTokens, outputTokens, ttftMs, e2eMs: seconds * 1e3, ...tpot, queueMs: null };
}
