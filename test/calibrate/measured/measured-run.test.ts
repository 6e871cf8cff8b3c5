import { describe, expect, test } from "vitest";
import { type MeasuredRun, runStatistics } from "../../../src/calibrate/measured/measured-run.ts";
import { readMeasurement } from "../../../src/calibrate/measured/read-measurement.ts";
import { csvOf } from "./example-point.ts";
import { aiperfRecords, engineRecords, expected, jsonLines, requests } from "./example-results.ts";
import { problemsOf } from "./problems-of.ts";

const file = "requests.jsonl";

function runOf(text: string): MeasuredRun {
  const measurement = readMeasurement(text, file);
  if (measurement.kind !== "run") throw new Error(measurement.kind);
  return measurement.run;
}

const asCells = (record: object) =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => [key, String(value)]));
const omit = (record: Record<string, string>, key: string) =>
  Object.fromEntries(Object.entries(record).filter(([name]) => name !== key));
const engineCsv = csvOf(engineRecords.map(asCells));

describe.each([
  ["JSON lines of an engine", jsonLines(engineRecords)],
  ["the same in another order", jsonLines(engineRecords.toReversed())],
  ["CSV with the same columns", engineCsv],
  ["JSON lines of AIPerf", jsonLines(aiperfRecords)],
])("a run from %s", (_, text) => {
  const run = runOf(text);

  test("has the latencies of its requests, from queueing on the engine's own clock", () => {
    const statistics = runStatistics(run);
    for (const metric of ["ttft", "tpot", "e2e"] as const)
      for (const [name, value] of Object.entries(expected[metric]))
        expect(statistics[metric][name as "mean"], `${metric} ${name}`).toBeCloseTo(value, 6);
    expect(statistics.seconds).toBeCloseTo(expected.spanSeconds, 6);
    expect(statistics.outputTokensPerSecond).toBeCloseTo(expected.outputTokensPerSecond, 6);
  });

  test("can be replayed: arrivals in order from zero, with their tokens", () => {
    const { requests: table } = run;
    expect(table.count).toBe(requests.length);
    expect(table.arrivalNs[0]).toBe(0);
    for (const [i, request] of requests.entries()) {
      expect(table.arrivalNs[i]).toBe(Math.round((request.start - (requests[0]?.start ?? 0)) * 1e9));
      expect([table.promptTokens[i], table.outputTokens[i]]).toEqual([request.prompt, request.output]);
    }
    expect(table.origin).toMatchObject({
      kind: "recorded",
      name: file,
      digest: expect.stringMatching(/^[\da-f]{64}$/),
    });
  });
});

test("the wait for scheduling is kept where it is stated", () => {
  const queueMs = runOf(jsonLines(engineRecords)).queueMs;
  expect([...(queueMs ?? [])]).toEqual(requests.map((request) => request.queue * 1e3));
  expect(runOf(jsonLines(engineRecords.map((record) => ({ ...record, scheduled_ts: null })))).queueMs).toBeNull();
});

test("requests that failed or warmed up are left out and counted", () => {
  const [record] = aiperfRecords;
  const failed = { ...record, metrics: {}, error: { code: 499 } };
  const warmUp = { ...record, metadata: { ...record?.metadata, benchmark_phase: "warmup" } };
  const { requests: table } = runOf(jsonLines([failed, ...aiperfRecords, warmUp]));
  expect(table.count).toBe(requests.length);
  expect(table.origin.notes.slice(-2)).toEqual(["1 failed requests are left out", "1 warm-up requests are left out"]);
  const many = [...aiperfRecords, ...Array.from({ length: 10 }, () => failed)];
  expect(problemsOf(() => runOf(jsonLines(many)))).toMatchObject([{ found: "10 failed, 40 completed" }]);
  expect(problemsOf(() => runOf(jsonLines([failed])))).toMatchObject([{ expected: "at least one completed request" }]);
});

describe("wrong records are refused with their lines, all at once", () => {
  const [good] = engineRecords;
  test.each<[string, object, string | undefined]>([
    ["a time before the one it follows", { first_token_ts: 1 }, undefined],
    ["scheduled before it was queued", { scheduled_ts: 1 }, undefined],
    ["no first token", { first_token_ts: null }, "first_token_ts"],
    ["no output tokens", { output_toks: 0 }, "output_toks"],
    ["half a token", { input_toks: 1.5 }, "input_toks"],
    ["a negative time", { queued_ts: -1 }, "queued_ts"],
    ["text for a time", { last_token_ts: "soon" }, "last_token_ts"],
  ])("%s", (_, change, at) => {
    const wrong = { ...good, ...change };
    expect(problemsOf(() => runOf(jsonLines([good, wrong, good, wrong])))).toMatchObject([
      { file, line: 2, ...(at === undefined ? {} : { at }) },
      { file, line: 4, ...(at === undefined ? {} : { at }) },
    ]);
    const cells = [good, wrong].map((record) =>
      asCells(Object.fromEntries(Object.entries(record ?? {}).map(([k, v]) => [k, v ?? ""]))),
    );
    expect(problemsOf(() => runOf(csvOf(cells)))).toMatchObject([{ file, line: 3 }]);
  });

  test("a CSV that has only the wall clock", () => {
    const cells = engineRecords.map((record) => omit(asCells(record), "queued_ts"));
    expect(problemsOf(() => runOf(csvOf(cells)))).toMatchObject([{ line: 1, expected: 'a column "queued_ts"' }]);
  });

  test("AIPerf records in an unknown unit or with an end before the first token", () => {
    const [record] = aiperfRecords;
    const change = (metrics: object) => ({ ...record, metrics: { ...record?.metrics, ...metrics } });
    const wrong = [
      change({ time_to_first_token: { value: 1, unit: "h" } }),
      change({ request_latency: { value: 1e-9, unit: "ms" } }),
    ];
    expect(problemsOf(() => runOf(jsonLines(wrong)))).toMatchObject([
      { line: 1, at: "metrics.time_to_first_token.unit" },
      { line: 2, at: "metrics.request_latency" },
    ]);
  });
});
