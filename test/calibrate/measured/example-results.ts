import { type Expected, e2eOf, exampleRequests, expectedOf, renamed, sumOf, tpotOf } from "./example-run.ts";

/** The example run as each load generator writes it: the keys and units of the format, made-up values. */
export const requests = exampleRequests();
export const expected: Expected = expectedOf(requests);

const totals = {
  input: sumOf(requests.map((r) => r.prompt)),
  output: sumOf(requests.map((r) => r.output)),
};

function flat(metric: string, statistics: Expected["ttft"]): Record<string, number> {
  const names = {
    mean: `mean_${metric}_ms`,
    p50: `median_${metric}_ms`,
    p90: `p90_${metric}_ms`,
    p95: `p95_${metric}_ms`,
    p99: `p99_${metric}_ms`,
  };
  return renamed(statistics, names, 1);
}

export const vllmSummary = {
  date: "20300102-030405",
  backend: "vllm",
  model_id: "example/model",
  num_prompts: requests.length,
  request_rate: 12.5,
  burstiness: 1,
  max_concurrency: 16,
  duration: expected.spanSeconds,
  completed: requests.length,
  total_input_tokens: totals.input,
  total_output_tokens: totals.output,
  request_throughput: expected.requestThroughput,
  request_goodput: null,
  output_throughput: expected.outputTokensPerSecond,
  ...flat("ttft", expected.ttft),
  ...flat("tpot", expected.tpot),
  ...flat("itl", expected.itl),
  ...flat("e2el", expected.e2e),
};

export const vllmDetailed = {
  ...vllmSummary,
  input_lens: requests.map((r) => r.prompt),
  output_lens: requests.map((r) => r.output),
  ttfts: requests.map((r) => r.ttft),
  itls: requests.map((r) => r.gaps),
  start_times: requests.map((r) => r.start),
  errors: requests.map(() => ""),
};

const average = (unit: string, avg: number) => ({ unit, avg });
const block = (unit: string, statistics: Expected["ttft"], perMs: number) => ({
  unit,
  ...renamed(statistics, { mean: "avg" }, perMs),
});

export const aiperfSummary = {
  schema_version: "1.3",
  aiperf_version: "9.9.9",
  request_latency: block("sec", expected.e2e, 1e-3),
  time_to_first_token: block("ms", expected.ttft, 1),
  inter_token_latency: block("us", expected.tpot, 1e3),
  request_throughput: average("requests/sec", expected.requestThroughput),
  output_token_throughput: average("tokens/sec", expected.outputTokensPerSecond),
  request_count: average("requests", requests.length),
  input_sequence_length: average("tokens", expected.meanPromptTokens),
  output_sequence_length: average("tokens", expected.meanOutputTokens),
  goodput: null,
  error_summary: [],
  input_config: {
    endpoint: { model_names: ["example/model"], streaming: true },
    loadgen: { concurrency: 16, request_rate: 12.5 },
  },
};

export const aiperfRecords = requests.map((r) => ({
  metadata: { request_start_ns: r.start * 1e9, benchmark_phase: "profiling", was_cancelled: false },
  metrics: {
    input_sequence_length: { value: r.prompt, unit: "tokens" },
    output_sequence_length: { value: r.output, unit: "tokens" },
    time_to_first_token: { value: r.ttft * 1e3, unit: "ms" },
    request_latency: { value: e2eOf(r) * 1e3, unit: "ms" },
  },
  error: null,
}));

const seconds = (statistics: Expected["ttft"]) => renamed(statistics, { p50: "median" }, 1e-3);

export const inferencePerfStage = {
  load_summary: { count: requests.length, requested_rate: 12.5, achieved_rate: 12.4, concurrency: 16 },
  successes: {
    count: requests.length,
    latency: {
      request_latency: seconds(expected.e2e),
      normalized_time_per_output_token: { mean: 99 },
      time_per_output_token: seconds(expected.tpot),
      time_to_first_token: seconds(expected.ttft),
      inter_token_latency: seconds(expected.itl),
    },
    throughput: {
      output_tokens_per_sec: expected.outputTokensPerSecond,
      requests_per_sec: expected.requestThroughput,
    },
    prompt_len: { mean: expected.meanPromptTokens },
    output_len: { mean: expected.meanOutputTokens },
  },
  failures: { count: 0, request_latency: null, prompt_len: null },
};

const distribution = ({ mean = 0, p50 = 0, p90, p95, p99 }: Expected["ttft"], perMs = 1) => ({
  successful: {
    mean: mean * perMs,
    median: p50 * perMs,
    percentiles: renamed({ ...(p90 && { p90 }), ...(p95 && { p95 }), ...(p99 && { p99 }) }, {}, perMs),
  },
  errored: { mean: 0, median: 0, percentiles: {} },
});
const meanOnly = (mean: number) => ({ successful: { mean } });

export const guidellmBenchmark = {
  config: { strategy: { type_: "concurrent", streams: 4 }, backend: { model: "example/model" } },
  metrics: {
    request_totals: { successful: requests.length, errored: 0, incomplete: 0, total: requests.length },
    requests_per_second: meanOnly(expected.requestThroughput),
    output_tokens_per_second: meanOnly(expected.outputTokensPerSecond),
    prompt_token_count: meanOnly(expected.meanPromptTokens),
    output_token_count: meanOnly(expected.meanOutputTokens),
    request_latency: distribution(expected.e2e, 1e-3),
    time_to_first_token_ms: distribution(expected.ttft),
    inter_token_latency_ms: distribution(expected.tpot),
    time_per_output_token_ms: meanOnly(999),
  },
  requests: {
    successful: requests.map((r) => ({
      request_start_time: r.start,
      request_latency: e2eOf(r),
      prompt_tokens: r.prompt,
      output_tokens: r.output,
      time_to_first_token_ms: r.ttft * 1e3,
      inter_token_latency_ms: r.output > 1 ? tpotOf(r) * 1e3 : null,
    })),
    errored: [],
    incomplete: [],
  },
};

export const guidellmReport = { args: { model: null, profile: "concurrent" }, benchmarks: [guidellmBenchmark] };

/** The wall clock of `arrival_time` runs apart from the clock of the others. */
export const engineRecords = requests.map((r, i) => ({
  request_id: `r-${i}`,
  input_toks: r.prompt,
  output_toks: r.output,
  arrival_time: 1.9e9 - i,
  queued_ts: r.start,
  scheduled_ts: r.start + r.queue,
  first_token_ts: r.start + r.ttft,
  last_token_ts: r.start + e2eOf(r),
}));

export const jsonLines = (records: readonly unknown[]) =>
  records.map((record) => `${JSON.stringify(record)}\n`).join("");
