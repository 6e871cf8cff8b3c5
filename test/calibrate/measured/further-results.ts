import { expected, requests } from "./example-results.ts";
import { renamed } from "./example-run.ts";

/** The example run as load generators write it that state fewer figures, or rates instead of times. */
const seconds = (metric: "ttft" | "tpot" | "itl" | "e2e", key: string) =>
  renamed(
    expected[metric],
    { mean: `mean_${key}`, p50: `median_${key}`, p90: `p90_${key}`, p95: `p95_${key}`, p99: `p99_${key}` },
    1e-3,
  );

const devices = 4;

export const inferencexAggregate = {
  hw: "h200",
  conc: 4,
  image: "engine:v1",
  model: "Qwen/Qwen3-30B-A3B",
  framework: "vllm",
  precision: "bf16",
  spec_decoding: "none",
  disagg: false,
  isl: expected.meanPromptTokens,
  osl: expected.meanOutputTokens,
  is_multinode: false,
  tp: devices,
  ep: 1,
  dp_attention: "false",
  tput_per_gpu: 1,
  output_tput_per_gpu: expected.outputTokensPerSecond / devices,
  ...seconds("ttft", "ttft"),
  ...seconds("tpot", "tpot"),
  ...seconds("itl", "itl"),
  ...seconds("e2e", "e2el"),
};

const percentiles = (metric: "ttft" | "tpot" | "e2e") => renamed(expected[metric], { mean: "average" }, 1);

export const trtllmReport = {
  engine: { model: "Qwen/Qwen3-30B-A3B", backend: "Pytorch", dtype: "bfloat16" },
  world_info: { tp_size: 2, pp_size: 1, ep_size: 2, world_size: 2 },
  request_info: {
    num_requests: requests.length,
    avg_num_concurrent_requests: (expected.requestThroughput * (expected.e2e.mean ?? 0)) / 1e3,
    avg_input_length: expected.meanPromptTokens,
    avg_output_length: expected.meanOutputTokens,
  },
  performance: {
    total_latency_ms: expected.spanSeconds * 1e3,
    avg_request_latency_ms: expected.e2e.mean,
    request_throughput_req_s: expected.requestThroughput,
    system_output_throughput_tok_s: expected.outputTokensPerSecond,
    request_latency_percentiles_ms: percentiles("e2e"),
  },
  streaming_metrics: {
    avg_ttft_ms: expected.ttft.mean,
    avg_tpot_ms: expected.tpot.mean,
    ttft_percentiles: percentiles("ttft"),
    tpot_percentiles: percentiles("tpot"),
  },
};

const ns = (metric: "ttft" | "tpot" | "e2e", mean: string, inner: string): string => {
  const ranks = { p50: "50.00", p90: "90.00", p95: "95.00", p99: "99.00" } as const;
  const lines = Object.entries(ranks).map(
    ([name, rank]) => `${rank} percentile ${inner} (ns)   : ${(expected[metric][name as "p50"] ?? 0) * 1e6}`,
  );
  return [`Mean ${mean} (ns)                : ${(expected[metric].mean ?? 0) * 1e6}`, ...lines].join("\n");
};

export const mlperfText = `================================================
MLPerf Results Summary
================================================
SUT name : PySUT
Scenario : Server
Mode     : PerformanceOnly
Completed samples per second    : ${expected.requestThroughput}
Completed tokens per second: ${expected.outputTokensPerSecond}
Result is : VALID
  Performance constraints satisfied : Yes
  Recommendations:
 * Nothing.

================================================
Additional Stats
================================================
${ns("e2e", "latency", "latency")}

${ns("ttft", "First Token latency", "first token latency")}

${ns("tpot", "Time to Output Token", "time to output token")}

================================================
Test Parameters Used
================================================
samples_per_query : 1
target_qps : 12.5
target_latency (ns): 0
`;

/** Two tests of llama-bench as its JSON states them. */
export const llamaTests = [
  {
    build_number: 10743,
    gpu_info: "NVIDIA GeForce RTX 5090",
    model_type: "qwen3moe 30B.A3B Q4_K - Medium",
    model_n_params: 30532122624,
    n_prompt: 512,
    n_gen: 0,
    n_depth: 0,
    avg_ts: 5120,
    samples_ts: [5120, 5120],
  },
  {
    build_number: 10743,
    gpu_info: "NVIDIA GeForce RTX 5090",
    model_type: "qwen3moe 30B.A3B Q4_K - Medium",
    model_n_params: 30532122624,
    n_prompt: 0,
    n_gen: 128,
    n_depth: 4096,
    avg_ts: 200,
    samples_ts: [200, 200],
  },
];

const columns = [
  "build_number",
  "gpu_info",
  "model_type",
  "model_n_params",
  "n_prompt",
  "n_gen",
  "n_depth",
  "avg_ts",
] as const;
export const llamaCsv = [
  columns.join(","),
  ...llamaTests.map((row) => columns.map((column) => `"${row[column]}"`).join(",")),
].join("\n");

export const llamaTable = `| model                          |       size |     params | backend    | ngl |            test |                  t/s |
| ------------------------------ | ---------: | ---------: | ---------- | --: | --------------: | -------------------: |
| qwen3moe 30B.A3B Q4_K - Medium |  17.28 GiB |    30.53 B | CUDA       |  99 |           pp512 |      5120.00 ± 10.00 |
| qwen3moe 30B.A3B Q4_K - Medium |  17.28 GiB |    30.53 B | CUDA       |  99 |   tg128 @ d4096 |        200.00 ± 1.00 |

build: adfffbe41 (10743)
`;
