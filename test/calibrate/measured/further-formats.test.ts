import { describe, expect, test } from "vitest";
import type { LatencyStatistics } from "../../../src/calibrate/measured/latency-statistics.ts";
import type { MeasuredBenchmark } from "../../../src/calibrate/measured/measured-benchmark.ts";
import { readMeasurement } from "../../../src/calibrate/measured/read-measurement.ts";
import { expected, jsonLines, requests, vllmSummary } from "./example-results.ts";
import { inferencexAggregate, llamaCsv, llamaTable, llamaTests, mlperfText, trtllmReport } from "./further-results.ts";
import { problemsOf } from "./problems-of.ts";

function runsOf(text: string): readonly MeasuredBenchmark[] {
  const measurement = readMeasurement(text, "result");
  if (measurement.kind !== "benchmark") throw new Error(measurement.kind);
  return measurement.runs;
}

function expectClose(found: LatencyStatistics | undefined, wanted: LatencyStatistics): void {
  expect(Object.keys(found ?? {}).sort()).toEqual(Object.keys(wanted).sort());
  for (const [name, value] of Object.entries(wanted)) expect(found?.[name as "mean"]).toBeCloseTo(value, 6);
}

const texts = {
  inferencex: [JSON.stringify(inferencexAggregate), { concurrency: 4, requests: null }],
  "trtllm-bench": [JSON.stringify(trtllmReport, null, 2), { concurrency: null, requests: requests.length }],
  mlperf: [mlperfText, { concurrency: null, requests: null, requestRate: 12.5 }],
} as const;

test.each(Object.entries(texts))("%s states the run of every other format, in ms", (format, [text, facts]) => {
  const [run, ...more] = runsOf(text);
  expect(more).toEqual([]);
  expect(run).toMatchObject({ format, ...facts, notes: [] });
  for (const metric of ["ttft", "tpot", "e2e"] as const) expectClose(run?.metrics[metric], expected[metric]);
  expect(run?.outputTokensPerSecond).toBeCloseTo(expected.outputTokensPerSecond, 6);
  expect(run?.meanOutputTokens).toBeCloseTo(expected.meanOutputTokens, 6);
});

test("they say what they were measured on", () => {
  expect(runsOf(texts.inferencex[0])[0]?.deployment).toMatchObject({
    model: "Qwen/Qwen3-30B-A3B",
    precision: "bf16",
    device: "h200",
    devices: 4,
    engine: "vllm",
  });
  const apart = JSON.stringify({ ...inferencexAggregate, disagg: true });
  expect(runsOf(apart)[0]).toMatchObject({ deployment: { devices: null }, outputTokensPerSecond: null });
  expect(runsOf(texts["trtllm-bench"][0])[0]?.deployment).toMatchObject({ devices: 2, engine: "tensorrt-llm" });
});

test("a list of results holds as many runs", () => {
  const sweep = [4, 8].map((conc) => ({ ...inferencexAggregate, conc }));
  expect(runsOf(JSON.stringify(sweep)).map(({ concurrency }) => concurrency)).toEqual([4, 8]);
  expect(problemsOf(() => runsOf(JSON.stringify([...sweep, 7])))).toMatchObject([{ at: "[2]" }]);
  expect(problemsOf(() => runsOf("[]"))).toHaveLength(1);
});

test("an invalid MLPerf result says so", () => {
  const [run] = runsOf(mlperfText.replace("Result is : VALID", "Result is : INVALID"));
  expect(run?.notes).toEqual([expect.stringContaining("INVALID")]);
});

describe("llama-bench", () => {
  test.each([
    ["json", JSON.stringify(llamaTests)],
    ["jsonl", jsonLines(llamaTests)],
    ["csv", llamaCsv],
    ["md", llamaTable],
  ])("as %s: a prompt is a TTFT, a generated token a TPOT", (_, text) => {
    const [prompt, decode, ...more] = runsOf(text);
    expect(more).toEqual([]);
    expect(prompt).toMatchObject({
      format: "llama-bench",
      concurrency: 1,
      meanPromptTokens: 512,
      meanOutputTokens: null,
    });
    expect(prompt?.metrics).toEqual({ ttft: { mean: 100 } });
    expect(decode).toMatchObject({ concurrency: 1, meanPromptTokens: 4096, meanOutputTokens: 128 });
    expect(decode?.metrics).toEqual({ tpot: { mean: 5 } });
    for (const run of [prompt, decode]) {
      expect((run?.deployment.parameters ?? 0) / 30.53e9).toBeCloseTo(1, 3);
      expect(run?.deployment.engine).toBe("llama.cpp");
    }
  });

  test("a prompt and its output together are an E2E", () => {
    const [both] = runsOf(JSON.stringify([{ ...llamaTests[0], n_gen: 128, avg_ts: 640 }]));
    expect(both?.metrics).toEqual({ e2e: { mean: 1000 } });
    const [row] = runsOf(llamaTable.replace("pp512", "pp512+tg128").replace("5120.00", "640.00"));
    expect(row?.metrics).toEqual({ e2e: { mean: 1000 } });
  });

  test("a speed of nothing is refused with its place", () => {
    const problems = problemsOf(() => runsOf(JSON.stringify(llamaTests.map((row) => ({ ...row, avg_ts: 0 })))));
    expect(problems.map(({ at }) => at)).toContain("[0].avg_ts");
  });
});

test("offline results of vLLM state a rate, or a latency of batches", () => {
  const throughput = { elapsed_time: 10, num_requests: 200, total_num_tokens: 5000, requests_per_second: 20 };
  expect(runsOf(JSON.stringify(throughput))[0]).toMatchObject({ format: "vllm-throughput", requestThroughput: 20 });
  const latency = { avg_latency: 2, latencies: [2, 2], percentiles: { 10: 1.9, 50: 2, 90: 2.1, 99: 2.2 } };
  expect(runsOf(JSON.stringify(latency))[0]?.metrics).toEqual({ e2e: { mean: 2000, p50: 2000, p90: 2100, p99: 2200 } });
});

test("bare words of Python stand only outside texts", () => {
  const named = JSON.stringify({ ...vllmSummary, model_id: 'org/"NaN" \\ Infinity-7B' });
  expect(runsOf(named.replace(/"request_rate":[^,]*/, '"request_rate":Infinity'))[0]).toMatchObject({
    deployment: { model: 'org/"NaN" \\ Infinity-7B' },
    requestRate: null,
  });
});
