import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import type { MeasuredBenchmark } from "../../src/calibrate/measured/measured-benchmark.ts";
import { readMeasurement } from "../../src/calibrate/measured/read-measurement.ts";
import type { RunDetails } from "../../src/forecast/details/run-details.ts";
import type { Forecast } from "../../src/forecast/forecast.ts";
import { vllmBenchExport } from "../../src/report/vllm-bench.ts";
import { countedRequests, requestValues } from "../../src/sim/outcome/request-latencies.ts";
import { type EndedRun, endedRun } from "../tui/screens/ended-run.ts";
import { forecast, overloaded } from "./build.ts";
import { detailsWith, rowsOf } from "./build-details.ts";

let run: EndedRun;

beforeAll(async () => {
  run = await endedRun("test/fixtures/scenarios/small.yaml", ["traffic.requests=60"]);
}, 60_000);

const rendered = (one: Forecast, details?: RunDetails): string =>
  vllmBenchExport.render([one], details === undefined ? {} : { details: [details] });
const keysOf = (one: Forecast, details?: RunDetails): Record<string, unknown> => JSON.parse(rendered(one, details));

function readBack(text: string): readonly MeasuredBenchmark[] {
  const measurement = readMeasurement(text, "bench.json");
  if (measurement.kind !== "benchmark") throw new Error(`read as ${measurement.kind}`);
  return measurement.runs;
}

/** Keys of a result of `vllm bench serve` (vllm/benchmarks/serve.py), those of its options and of speculative decoding included. */
const published =
  /^(label|model_id|num_prompts|request_rate|duration|completed|failed|total_(input|output)_tokens|request_(throughput|goodput)|output_throughput|total_token_throughput|input_lens|output_lens|ttfts|latencies|start_times|max_concurrent_requests|(mean|median|std|p90|p95|p99|p99\.9)_(ttft|tpot|itl|e2el)_ms|spec_decode_(acceptance_rate|acceptance_length|num_drafts|draft_tokens|accepted_tokens)|gpu_(energy_j|avg_power_w|energy_per_output_token_j))$/;

describe("a forecast as a result of vllm bench serve", () => {
  test("has keys of vLLM, and one that says what it is", () => {
    for (const keys of [keysOf(run.forecast, run.details), keysOf(forecast())]) {
      expect(Object.keys(keys).filter((key) => !published.test(key))).toEqual(["moecast"]);
      expect(keys).toMatchObject({ moecast: { forecast: true } });
      // What is not known is left out.
      expect(Object.values(keys)).not.toContain(null);
    }
    const fixed = keysOf(forecast());
    expect(fixed).toMatchObject({
      mean_ttft_ms: 100,
      median_ttft_ms: 90,
      p99_ttft_ms: 250,
      "p99.9_ttft_ms": 290,
      mean_e2el_ms: 400,
      gpu_avg_power_w: 1850,
      spec_decode_acceptance_rate: 75,
      failed: 10,
    });
    for (const absent of ["ttfts", "std_ttft_ms", "itls", "queue_times"]) expect(fixed).not.toHaveProperty([absent]);
  });

  test("is read back with the same figures", () => {
    const [read] = readBack(rendered(run.forecast, run.details));
    const { latency, throughput, requests, load, deployment } = run.forecast;
    expect(read).toMatchObject({
      format: "vllm-bench",
      deployment: { model: deployment.model },
      requests: requests.completed,
      failed: requests.rejected,
      seconds: throughput.durationS,
      requestThroughput: throughput.requestsPerSecond,
      outputTokensPerSecond: throughput.outputTokensPerSecond,
      requestRate: load.offeredRequestsPerSecond,
      notes: ["moecast says that this is a forecast of moecast, not a measurement"],
    });
    for (const metric of ["ttft", "tpot", "itl", "e2e"] as const)
      for (const statistic of ["mean", "p50", "p90", "p95", "p99"] as const)
        expect(read!.metrics[metric]![statistic], `${metric} ${statistic}`).toBe(latency[metric][statistic]);
    const inTokens = (throughput.totalTokensPerSecond - throughput.outputTokensPerSecond) * throughput.durationS;
    expect(read!.meanPromptTokens).toBeCloseTo(inTokens / requests.completed, 9);
  });

  test("is read back with the same requests", () => {
    const [read] = readBack(rendered(run.forecast, run.details));
    const { requests } = run.details;
    const { perRequest } = read!;
    expect(perRequest!.requests.count).toBe(requests.count);
    expect([...perRequest!.requests.promptTokens]).toEqual([...requests.promptTokens]);
    expect([...perRequest!.requests.outputTokens]).toEqual([...requests.outputTokens]);
    for (let i = 0; i < requests.count; i++) {
      const since = (ns: number) => (ns - requests.arrivalNs[i]!) / 1e6;
      expect(perRequest!.requests.arrivalNs[i]).toBe(requests.arrivalNs[i]! - requests.arrivalNs[0]!);
      expect(perRequest!.ttftMs[i]).toBeCloseTo(since(requests.firstTokenNs[i]!), 9);
      expect(perRequest!.e2eMs[i]).toBeCloseTo(since(requests.lastTokenNs[i]!), 9);
    }
  });

  test("has the standard deviations of the requests that the other statistics are of", () => {
    const keys = keysOf(run.forecast, run.details);
    for (const [metric, key] of [
      ["ttft", "std_ttft_ms"],
      ["tpot", "std_tpot_ms"],
      ["e2e", "std_e2el_ms"],
    ] as const) {
      const values = [...requestValues(run.details.requests, metric, countedRequests(run.details.requests, null))];
      const sum = values.reduce((all, value) => all + value, 0);
      const squares = values.reduce((all, value) => all + (value / 1e6) * (value / 1e6), 0);
      const mean = sum / values.length / 1e6;
      expect(keys[key]).toBeCloseTo(Math.sqrt(squares / values.length - mean * mean), 5);
    }
  });

  test("counts as many requests at once as there ever are", () => {
    const spans = fc.array(fc.tuple(fc.nat(50), fc.integer({ min: 1, max: 30 })), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(spans, (requests) => {
        const details = detailsWith(rowsOf(requests.map(([arrivalMs, e2eMs]) => ({ arrivalMs, ttftMs: 1, e2eMs }))));
        // At each arrival, those that have arrived and not ended.
        const most = Math.max(
          ...requests.map(([at]) => requests.filter(([from, lasts]) => from <= at && at < from + lasts).length),
        );
        expect(keysOf(forecast(), details)["max_concurrent_requests"]).toBe(most);
      }),
    );
  });

  test("lists completed requests alone", () => {
    const rows = rowsOf([
      { arrivalMs: 0, queueMs: 1, ttftMs: 20, e2eMs: 60, promptTokens: 100 },
      { arrivalMs: 10, status: "rejected" },
      { arrivalMs: 20, queueMs: 1, ttftMs: 20, status: "running" },
      { arrivalMs: 30, queueMs: 1, ttftMs: 30, e2eMs: 30, outputTokens: 1 },
    ]);
    expect(keysOf(forecast(), detailsWith(rows))).toMatchObject({
      input_lens: [100, 10],
      output_lens: [5, 1],
      ttfts: [0.02, 0.03],
      latencies: [0.06, 0.03],
      start_times: [0, 0.03],
    });
  });

  test("has no latency of an overloaded deployment, and is refused as a measurement", () => {
    const keys = keysOf(overloaded(), run.details);
    expect(Object.keys(keys).filter((key) => /_ms$|s$/.test(key))).toEqual([
      "num_prompts",
      "total_input_tokens",
      "total_output_tokens",
      "max_concurrent_requests",
      "spec_decode_num_drafts",
      "spec_decode_draft_tokens",
      "spec_decode_accepted_tokens",
    ]);
    expect(keys).toMatchObject({ moecast: { verdict: "overloaded" } });
    expect(() => readBack(rendered(overloaded(), run.details))).toThrow("expected a measurement");
  });

  test("says that a run was interrupted, and how many of its requests are there", () => {
    const one = forecast({ interrupted: true });
    expect(keysOf(one)).toMatchObject({ num_prompts: 2100, completed: 2090, moecast: { interrupted: true } });
  });

  test("states no rate of a closed loop", () => {
    const closed = forecast({ load: { ...forecast().load, loop: "closed", offeredRequestsPerSecond: null } });
    expect(keysOf(closed)).not.toHaveProperty("request_rate");
  });

  test("is a line for each of several scenarios, as --append-result leaves them", () => {
    const text = vllmBenchExport.render([run.forecast, run.forecast], { details: [run.details, run.details] });
    expect(readBack(text)).toHaveLength(2);
    expect(text.split("\n")).toHaveLength(3);
  });
});
