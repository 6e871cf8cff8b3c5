import { describe, expect, test } from "vitest";
import type { LatencyStatistics } from "../../../src/calibrate/measured/latency-statistics.ts";
import type { MeasuredBenchmark } from "../../../src/calibrate/measured/measured-benchmark.ts";
import { type MeasuredRun, runStatistics } from "../../../src/calibrate/measured/measured-run.ts";
import { readMeasurement } from "../../../src/calibrate/measured/read-measurement.ts";
import {
  aiperfSummary,
  expected,
  guidellmBenchmark,
  guidellmReport,
  inferencePerfStage,
  jsonLines,
  requests,
  vllmDetailed,
  vllmSummary,
} from "./example-results.ts";
import { tpotOf } from "./example-run.ts";
import { problemsOf } from "./problems-of.ts";

const file = "result.json";

function benchmarksOf(document: unknown): readonly MeasuredBenchmark[] {
  const measurement = readMeasurement(JSON.stringify(document), file);
  if (measurement.kind !== "benchmark") throw new Error(measurement.kind);
  return measurement.runs;
}

function benchmarkOf(document: unknown): MeasuredBenchmark {
  const [benchmark] = benchmarksOf(document);
  if (benchmark === undefined) throw new Error("none");
  return benchmark;
}

function expectClose(found: LatencyStatistics | undefined, wanted: LatencyStatistics): void {
  expect(Object.keys(found ?? {}).sort()).toEqual(Object.keys(wanted).sort());
  for (const [name, value] of Object.entries(wanted)) expect(found?.[name as "mean"]).toBeCloseTo(value, 6);
}

function expectRun(run: MeasuredRun | null): void {
  const statistics = run === null ? null : runStatistics(run);
  for (const metric of ["ttft", "tpot", "e2e"] as const) expectClose(statistics?.[metric], expected[metric]);
  expect(statistics?.outputTokensPerSecond).toBeCloseTo(expected.outputTokensPerSecond, 6);
  expect(statistics?.requestsPerSecond).toBeCloseTo(expected.requestThroughput, 6);
  expect([...(run?.requests.promptTokens ?? [])]).toEqual(requests.map((r) => r.prompt));
  expect([...(run?.requests.arrivalNs ?? [])]).toEqual(
    requests.map((r) => Math.round((r.start - (requests[0]?.start ?? 0)) * 1e9)),
  );
}

const documents = {
  "vllm-bench": [vllmSummary, { model: "example/model", concurrency: 16, requestRate: 12.5, itl: true }],
  aiperf: [aiperfSummary, { model: "example/model", concurrency: 16, requestRate: 12.5, itl: false }],
  "inference-perf": [inferencePerfStage, { model: null, concurrency: 16, requestRate: 12.5, itl: true }],
  guidellm: [guidellmReport, { model: "example/model", concurrency: 4, requestRate: null, itl: false }],
} as const;

describe.each(Object.entries(documents))("%s", (format, [document, { itl, model, ...facts }]) => {
  test("states the same run as every other format, in ms", () => {
    const benchmark = benchmarkOf(document);
    expect(benchmark).toMatchObject({ format, deployment: { model }, ...facts, requests: requests.length, notes: [] });
    expect(Object.keys(benchmark.metrics).sort()).toEqual(["e2e", ...(itl ? ["itl"] : []), "tpot", "ttft"]);
    for (const [metric, statistics] of Object.entries(benchmark.metrics))
      expectClose(statistics, expected[metric as keyof typeof benchmark.metrics]);
    expect(benchmark.outputTokensPerSecond).toBeCloseTo(expected.outputTokensPerSecond, 9);
    expect(benchmark.requestThroughput).toBeCloseTo(expected.requestThroughput, 9);
    expect(benchmark.meanPromptTokens).toBeCloseTo(expected.meanPromptTokens, 9);
    expect(benchmark.meanOutputTokens).toBeCloseTo(expected.meanOutputTokens, 9);
  });

  test("is told from the others by its content, laid out on one line or many", () => {
    const measurement = readMeasurement(`\ufeff${JSON.stringify(document, null, 2)}\n`, file);
    expect(measurement).toMatchObject({ kind: "benchmark", runs: [{ format }] });
  });
});

describe("requests of a result file", () => {
  test("are those of the run", () => {
    expectRun(benchmarkOf(vllmDetailed).perRequest);
    expectRun(benchmarkOf(guidellmReport).perRequest);
    expect(benchmarkOf(vllmSummary).perRequest).toBeNull();
  });

  test("that failed are left out and counted", () => {
    const [first = { output: 0, ttft: 0, gaps: [] }, second = first] = requests;
    const failed = {
      ...vllmDetailed,
      input_lens: [...vllmDetailed.input_lens, 7, 8],
      output_lens: [...vllmDetailed.output_lens, 0, 3],
      ttfts: [...vllmDetailed.ttfts, 0, 0],
      itls: [...vllmDetailed.itls, [], []],
      start_times: [...vllmDetailed.start_times, 1, 2],
    };
    expect(second).not.toBe(first);
    const run = benchmarkOf(failed).perRequest;
    expectRun(run);
    expect(run?.requests.origin.notes).toEqual(["2 requests without output are left out"]);
  });

  test("are not made up where the file lacks a figure", () => {
    const { start_times: _, ...older } = vllmDetailed;
    expect(benchmarkOf(older).perRequest).toBeNull();
    const [one, ...rest] = guidellmBenchmark.requests.successful;
    const silent = [{ ...one, time_to_first_token_ms: null }, ...rest];
    const benchmarks = [{ ...guidellmBenchmark, requests: { successful: silent } }];
    expect(benchmarkOf({ benchmarks }).perRequest).toBeNull();
  });

  test("keep the TPOT that the tool states", () => {
    const run = benchmarkOf(guidellmReport).perRequest;
    for (const [i, request] of requests.entries())
      if (request.output > 1) expect(run?.tpotMs[i]).toBeCloseTo(tpotOf(request) * 1e3, 9);
      else expect(run?.tpotMs[i]).toBeNaN();
  });
});

describe("load and metrics", () => {
  test("each load level of GuideLLM and each appended result is one benchmark", () => {
    const levels = [3, 4].map((streams) => ({
      ...guidellmBenchmark,
      config: { strategy: { type_: "concurrent", streams } },
    }));
    const rate = { ...guidellmBenchmark, config: { strategy: { type_: "poisson", rate: 3.5 } } };
    const found = benchmarksOf({ benchmarks: [...levels, rate] });
    expect(found.map(({ concurrency }) => concurrency)).toEqual([3, 4, null]);
    expect(found.map(({ requestRate }) => requestRate)).toEqual([null, null, 3.5]);
    const metrics = {
      ...guidellmBenchmark.metrics,
      requests_per_second: { successful: { mean: 0.3 * expected.requestThroughput } },
    };
    const single = { ...guidellmBenchmark, metrics, config: { strategy: { type_: "synchronous" } } };
    expect(benchmarkOf({ benchmarks: [single] }).concurrency).toBe(1);
    const appended = readMeasurement(jsonLines([vllmSummary, { ...vllmSummary, max_concurrency: 32 }]), file);
    expect(appended).toMatchObject({ runs: [{ concurrency: 16 }, { concurrency: 32 }] });
  });

  test("an unlimited rate is none: without a cap every request has a client, unless fewer were under way", () => {
    const { completed } = vllmSummary;
    const burst = {
      ...vllmSummary,
      request_rate: "inf",
      max_concurrency: null,
      duration: null,
      request_throughput: null,
    };
    expect(benchmarkOf(burst)).toMatchObject({ requestRate: null, concurrency: completed });
    const text = JSON.stringify({ ...burst, request_throughput: 1, output_throughput: null }).replace(
      '"inf"',
      "Infinity",
    );
    const measurement = readMeasurement(text, file);
    expect(measurement).toMatchObject({
      runs: [{ requestRate: null, concurrency: null, meanUnderWay: expect.any(Number) }],
    });
  });

  test("AIPerf's later configurations state the load by phase", () => {
    const input_config = { phases: { profiling: { concurrency: 40 } } };
    const slow = { ...aiperfSummary, input_config, request_throughput: null, output_token_throughput: null };
    expect(benchmarkOf(slow)).toMatchObject({ concurrency: 40, deployment: { model: null } });
  });

  test("SGLang's key of E2E is read", () => {
    const renamedKeys = Object.entries(vllmSummary).map(([key, value]) => [
      key.replace("_e2el_", "_e2e_latency_"),
      value,
    ]);
    expectClose(benchmarkOf(Object.fromEntries(renamedKeys)).metrics.e2e, expected.e2e);
  });

  test("a zero, which tools write without streaming, is not a latency", () => {
    const zeros = {
      ...vllmSummary,
      mean_ttft_ms: 0,
      median_ttft_ms: 0,
      p90_ttft_ms: 0,
      p95_ttft_ms: 0,
      p99_ttft_ms: 0,
    };
    expect(Object.keys(benchmarkOf(zeros).metrics)).toEqual(["tpot", "itl", "e2e"]);
  });
});

describe("wrong results are refused with the place", () => {
  const stage = (change: object) => ({
    ...inferencePerfStage,
    successes: { ...inferencePerfStage.successes, ...change },
  });
  test.each<[string, unknown, string | undefined]>([
    ["negative latency", { ...vllmSummary, p99_ttft_ms: -1 }, "p99_ttft_ms"],
    ["text for a number", { ...vllmSummary, mean_tpot_ms: "17" }, "mean_tpot_ms"],
    ["percentiles that fall", { ...vllmSummary, p99_ttft_ms: 1e-9 }, "p99_ttft_ms"],
    ["no requests", { ...vllmSummary, completed: 0 }, "completed"],
    ["requests not stated", { ...vllmSummary, completed: null }, "completed"],
    ["negative cap", { ...vllmSummary, max_concurrency: -4 }, "max_concurrency"],
    ["lists of mixed lengths", { ...vllmDetailed, ttfts: vllmDetailed.ttfts.slice(1) }, "ttfts"],
    ["a list that is none", { ...vllmDetailed, itls: 3 }, "itls"],
    ["a gap that is none", { ...vllmDetailed, itls: [["x"], ...vllmDetailed.itls.slice(1)] }, "itls[0][0]"],
    ["half a token", { ...vllmDetailed, output_lens: [1.5, ...vllmDetailed.output_lens.slice(1)] }, "output_lens[0]"],
    ["unknown unit", { ...aiperfSummary, request_latency: { unit: "weeks", avg: 1 } }, "request_latency.unit"],
    ["latency that is no object", stage({ latency: { request_latency: 3 } }), "successes.latency.request_latency"],
    ["no latency at all", stage({ latency: {} }), undefined],
    ["no benchmark", { benchmarks: [] }, "benchmarks"],
    ["a benchmark that is none", { benchmarks: [7] }, "benchmarks[0]"],
  ])("%s", (_, document, at) => {
    const problems = problemsOf(() => benchmarksOf(document));
    expect(problems.length).toBeGreaterThan(0);
    expect(problems.map((problem) => problem.at)).toContain(at);
    for (const problem of problems) expect(problem.file).toBe(file);
  });
});
