import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { consistencyLaws, failedShareMax } from "../../../src/calibrate/measured/consistency.ts";
import type { MeasuredBenchmark } from "../../../src/calibrate/measured/measured-benchmark.ts";
import { readMeasurement } from "../../../src/calibrate/measured/read-measurement.ts";
import { drawn } from "../../drawn.ts";
import { aiperfSummary, expected, guidellmReport, inferencePerfStage, vllmSummary } from "./example-results.ts";
import { exampleRequests, expectedOf } from "./example-run.ts";
import { problemsOf } from "./problems-of.ts";

const read = (document: unknown): MeasuredBenchmark => {
  const measurement = readMeasurement(JSON.stringify(document), "result.json");
  if (measurement.kind !== "benchmark") throw new Error(measurement.kind);
  return measurement.runs[0];
};
const following = ((expected.e2e.mean ?? 0) - (expected.ttft.mean ?? 0)) / (expected.meanOutputTokens - 1);

test("figures of one run break no law, whatever its requests", () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 200 }), fc.integer({ min: 1, max: 1000 }), (count, scale) => {
      const run = expectedOf(exampleRequests(count));
      const slower = { ttft: { mean: (run.ttft.mean ?? 0) * scale } };
      const benchmark = {
        ...read(vllmSummary),
        requests: count,
        seconds: run.spanSeconds,
        requestThroughput: run.requestThroughput,
        outputTokensPerSecond: run.outputTokensPerSecond,
        meanOutputTokens: run.meanOutputTokens,
        concurrency: count,
        metrics: { ttft: run.ttft, e2e: run.e2e },
      };
      for (const law of consistencyLaws) expect(law.check(benchmark), law.name).toBeNull();
      const late = { ...benchmark, metrics: { ...slower, e2e: { mean: (slower.ttft.mean ?? 0) * 0.99 } } };
      expect(consistencyLaws.map((law) => law.check(late)).filter((outcome) => outcome !== null)).not.toEqual([]);
    }),
    { numRuns: drawn(50) },
  );
});

test("short answers that wait for prompts raise the mean TPOT, and break no law", () => {
  // 30 of 100 answers have 3 tokens, 400 ms apart; the others 300, 20 ms apart.
  const [ttft, tokens] = [100, 0.3 * 3 + 0.7 * 300];
  const decoding = 0.3 * 2 * 400 + 0.7 * 299 * 20;
  const benchmark = {
    ...read(vllmSummary),
    requests: null,
    requestThroughput: null,
    meanOutputTokens: tokens,
    metrics: {
      ttft: { mean: ttft },
      tpot: { mean: 0.3 * 400 + 0.7 * 20, p50: 20 },
      itl: { mean: decoding / (tokens - 1), p50: 20 },
      e2e: { mean: ttft + decoding },
    },
  };
  for (const law of consistencyLaws) expect(law.check(benchmark), law.name).toBeNull();
});

test("a few long answers make a mean over tokens shorter than one over requests", () => {
  const [ttft, tokens, following] = [100, 60, 24];
  const decoding = (tokens - 1) * following;
  const metrics = {
    ttft: { mean: ttft, p50: ttft },
    tpot: { mean: 43, p50: 41 },
    itl: { mean: following },
    e2e: { mean: ttft + decoding, p50: ttft + decoding / 4 },
  };
  const benchmark = {
    ...read(vllmSummary),
    requests: null,
    requestThroughput: null,
    meanOutputTokens: tokens,
    metrics,
  };
  for (const law of consistencyLaws) expect(law.check(benchmark), law.name).toBeNull();
  const even = { ...benchmark, metrics: { ...metrics, e2e: { ...metrics.e2e, p50: metrics.e2e.mean } } };
  expect(consistencyLaws.some((law) => law.check(even) !== null)).toBe(true);
  const halved = { ...benchmark, metrics: { ...metrics, tpot: { mean: following / 2, p50: following / 2 } } };
  expect(consistencyLaws.some((law) => law.check(halved) !== null)).toBe(true);
});

test("clients are held against requests under way where E2E is not stated, too", () => {
  const benchmark = {
    ...read(vllmSummary),
    requestRate: null,
    requestThroughput: 8,
    meanOutputTokens: 101,
    outputTokensPerSecond: null,
    requests: null,
    metrics: { ttft: { mean: 100 }, tpot: { mean: 9, p50: 9 } },
  };
  const law = consistencyLaws.at(-1)!;
  expect(law.check({ ...benchmark, concurrency: 8 })).toBeNull();
  const metrics = { ttft: { mean: 100 }, e2e: { mean: 1000, p99: 9000 } };
  expect(law.check({ ...benchmark, metrics, concurrency: 64, seconds: 10 })).toBeNull();
  expect(law.check({ ...benchmark, metrics, concurrency: 64, seconds: 100 })).not.toBeNull();
  expect(law.check({ ...benchmark, concurrency: 2 })).toMatchObject({ found: expect.stringMatching(/^8, /) });
  expect(law.check({ ...benchmark, concurrency: 64 })).toMatchObject({
    mended: { concurrency: null, meanUnderWay: 8 },
  });
});

describe("a TPOT that divides by chunks", () => {
  const statistics = ["mean", "median", "p90", "p95", "p99"].map((name) => `${name}_tpot_ms`);
  const halved = Object.fromEntries(statistics.map((name) => [name, following / 2]));

  test.each([
    ["vllm-bench", { ...vllmSummary, ...halved }],
    ["aiperf", { ...aiperfSummary, inter_token_latency: { unit: "ms", avg: following / 2, p50: following / 2 } }],
    [
      "inference-perf",
      {
        ...inferencePerfStage,
        successes: {
          ...inferencePerfStage.successes,
          latency: { ...inferencePerfStage.successes.latency, time_per_output_token: { mean: following / 2e3 } },
        },
      },
    ],
  ])("of %s is taken from first and last token, and said", (_, document) => {
    const { metrics, notes } = read(document);
    expect(metrics.tpot).toEqual({ mean: expect.closeTo(following, 9) });
    expect(notes.join()).toMatch(/states a TPOT of .*\(E2E - TTFT\) \/ \(output tokens - 1\)/);
  });

  test("stays where nothing contradicts it", () => {
    const silent = { ...vllmSummary, ...halved, mean_e2el_ms: null, mean_itl_ms: null };
    expect(read(silent).metrics.tpot?.mean).toBeCloseTo(following / 2, 9);
  });
});

test("gaps between chunks are no gaps between tokens", () => {
  const { metrics, notes } = read({ ...vllmSummary, mean_itl_ms: 4 * (expected.tpot.mean ?? 0) });
  expect(metrics.itl).toBeUndefined();
  expect(notes.join()).toContain("not those between single tokens");
});

test("zeros are left out and said, once a metric", () => {
  const zeros = Object.fromEntries(["mean", "median", "p90", "p95", "p99"].map((name) => [`${name}_itl_ms`, 0]));
  const { metrics, notes } = read({ ...vllmSummary, ...zeros });
  expect(metrics.itl).toBeUndefined();
  expect(notes).toEqual([expect.stringMatching(/^mean_itl_ms is 0.*and 4 more/)]);
});

describe("failed requests", () => {
  const failing = (failed: number) => ({ ...inferencePerfStage, failures: { count: failed } });
  const { count } = inferencePerfStage.successes;

  test("are told while they are few", () => {
    expect(read(failing(1)).notes).toEqual([expect.stringContaining("1 of 41 requests failed (2.4%)")]);
  });

  test("above a share refuse the measurement", () => {
    const most = Math.floor((failedShareMax * count) / (1 - failedShareMax));
    expect(problemsOf(() => read(failing(most)))).toEqual([]);
    expect(problemsOf(() => read(failing(most + 1)))).toMatchObject([
      { found: `${most + 1} failed, ${count} completed` },
    ]);
    const errored = { ...guidellmReport.benchmarks[0]?.metrics, request_totals: { successful: count, errored: 100 } };
    const report = { benchmarks: [{ ...guidellmReport.benchmarks[0], metrics: errored }] };
    expect(problemsOf(() => read(report))).toHaveLength(1);
    expect(problemsOf(() => read({ ...vllmSummary, failed: 100 }))).toHaveLength(1);
    const aiperf = { ...aiperfSummary, error_request_count: { unit: "requests", avg: 100 } };
    expect(problemsOf(() => read(aiperf))).toHaveLength(1);
  });
});

test.each([
  [
    "a rate that is not that of its requests",
    { request_throughput: 3 * expected.requestThroughput, output_throughput: null },
    "requestThroughput",
    expected.requestThroughput,
  ],
  [
    "tokens that its requests do not bring",
    { output_throughput: 2 * expected.outputTokensPerSecond },
    "outputTokensPerSecond",
    expected.outputTokensPerSecond,
  ],
] as const)("%s is taken from the others, and said", (_, change, figure, value) => {
  const benchmark = read({ ...vllmSummary, ...change });
  expect(benchmark[figure]).toBeCloseTo(value, 6);
  expect(benchmark.notes).toHaveLength(1);
});

test("more requests under way than clients is refused", () => {
  const closed = { ...vllmSummary, request_rate: "inf" };
  expect(problemsOf(() => read({ ...closed, max_concurrency: 3 }))).toEqual([]);
  expect(problemsOf(() => read({ ...closed, max_concurrency: 2 }))).toMatchObject([
    {
      expected: expect.stringContaining("at most 2 requests under way"),
      found: expect.stringMatching(/^2\.378, from/),
    },
  ]);
});

test("a request that ends before its first token is refused", () => {
  const early = { ...vllmSummary, mean_e2el_ms: (expected.ttft.mean ?? 0) / 2 };
  expect(problemsOf(() => read(early)).map(({ expected: wanted }) => wanted)).toContainEqual(
    expect.stringContaining("a mean E2E of at least the mean TTFT"),
  );
});
