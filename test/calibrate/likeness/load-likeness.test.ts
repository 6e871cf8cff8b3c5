import { describe, expect, test } from "vitest";
import {
  loadLikeness,
  observableLoad,
  requestRateOf,
  sameLoad,
} from "../../../src/calibrate/likeness/load-likeness.ts";
import { type MeasuredBenchmark, unstated } from "../../../src/calibrate/measured/measured-benchmark.ts";
import { testConfig, testRequests } from "../../sim/build.ts";

const requests = testRequests(Array.from({ length: 101 }, (_, i) => ({ prompt: 1000, output: 100, at: i * 2e8 })));
const open = testConfig({ workload: { kind: "open", requests } });
const closed = testConfig({ workload: { kind: "closed", requests, concurrency: 16 } });
const own = { meanPromptTokens: 1000, meanOutputTokens: 100 };
const benchmark = (stated: Partial<MeasuredBenchmark>): MeasuredBenchmark => ({
  ...unstated,
  format: "test",
  ...own,
  ...stated,
});
const places = (config: typeof open, stated: Partial<MeasuredBenchmark>, reach = sameLoad) =>
  loadLikeness(config, benchmark(stated), reach).differences.map(({ at }) => at);

test("the rate of a table is that of its gaps", () => {
  expect(requestRateOf(requests)).toBeCloseTo(5, 9);
  expect(requestRateOf(testRequests([{ prompt: 1, output: 1 }]))).toBe(Number.POSITIVE_INFINITY);
});

describe("a benchmark to compare with", () => {
  test.each([
    [{ concurrency: 16 }, []],
    [{ concurrency: 8 }, ["clients"]],
    [{ requestRate: 5 }, ["load"]],
    [{ meanUnderWay: 100 }, ["requests under way"]],
    [{ meanUnderWay: 3 }, ["requests under way"]],
    [{ requestThroughput: 40, metrics: { e2e: { mean: 2500 } } }, ["requests under way"]],
    [{ requestThroughput: 6, metrics: { e2e: { mean: 2500 } } }, []],
    [{ concurrency: 16, meanPromptTokens: 900 }, []],
    [{ concurrency: 16, meanPromptTokens: 500, meanOutputTokens: 200 }, ["mean prompt tokens", "mean output tokens"]],
  ])("of %j differs from 16 clients in %j", (stated, at) => expect(places(closed, stated)).toEqual(at));

  test.each([
    [{ requestRate: 5 }, []],
    [{ requestRate: 5, concurrency: 256 }, []],
    [{ requestRate: 10 }, ["request rate"]],
    [{ requestThroughput: 40 }, ["completed requests"]],
    [{ requestThroughput: 4 }, []],
    [{ concurrency: 16 }, ["load"]],
  ])("of %j differs from 5 requests/s in %j", (stated, at) => expect(places(open, stated)).toEqual(at));

  test("is taken for the scenario's load where it states none, and says so", () => {
    const silent = benchmark({ meanPromptTokens: null, meanOutputTokens: null, meanUnderWay: 11.8 });
    const { differences, assumptions } = loadLikeness(closed, silent, sameLoad);
    expect(differences).toEqual([]);
    expect(assumptions).toHaveLength(3);
    expect(assumptions.at(-1)).toContain("11.8 requests under way");
  });
});

test("a benchmark to observe may have another load, as far as that was ever validated", () => {
  expect(places(closed, { concurrency: 1 }, observableLoad)).toEqual([]);
  expect(places(closed, { requestRate: 3, meanPromptTokens: 8000 }, observableLoad)).toEqual([]);
  expect(places(closed, { concurrency: 512, meanPromptTokens: 10 }, observableLoad)).toEqual([
    "mean prompt tokens",
    "clients",
  ]);
});
