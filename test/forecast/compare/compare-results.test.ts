import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type ChangeVerdict, verdictOfChange } from "../../../src/forecast/compare/change-verdict.ts";
import { compareResults } from "../../../src/forecast/compare/compare-results.ts";
import type { Forecast } from "../../../src/forecast/forecast.ts";
import { forecast, overloaded, steady, verdict } from "../../report/build.ts";
import { exampleForecast } from "../example-forecast.ts";
import { ascending, fakeRun } from "../fake-run.ts";

const named = (name: string, changes: Partial<Forecast> = {}): Forecast =>
  forecast({ scenario: { name, description: "", file: `${name}.yaml` }, ...changes });
const files = (...lists: readonly (readonly Forecast[])[]) =>
  lists.map((forecasts, i) => ({ file: `${"abcdef"[i]}.json`, forecasts }));
const limits = (percent: number, byName: Readonly<Record<string, number>> = {}) => ({
  default: percent / 100,
  byName,
});
const only = (before: Forecast, after: Forecast, choice = {}) =>
  compareResults(files([before], [after]), { only: null, limits: null, ...choice }).scenarios[0]!.against[0]!;
const metric = (name: string, result: ReturnType<typeof only>) =>
  result.metrics.find((change) => change.metric === name)!;

/** What a verdict is when the results are exchanged. */
const opposite = {
  better: "worse",
  worse: "better",
  noise: "noise",
  unknown: "unknown",
  same: "same",
  missing: "missing",
} as const satisfies Record<ChangeVerdict, ChangeVerdict>;

/** The forecast with throughput and the latencies of E2E times a factor, in each of its parts. */
const scaled = (factor: number): Forecast => {
  const base = forecast();
  const { e2e } = base.latency;
  return steady({
    ...base,
    throughput: { ...base.throughput, outputTokensPerSecond: base.throughput.outputTokensPerSecond / factor },
    latency: { ...base.latency, e2e: { ...e2e, p50: e2e.p50! * factor, p99: e2e.p99! * factor } },
  });
};

describe("a comparison", () => {
  test("of a result with itself says same everywhere, and nothing differs", () => {
    for (const one of [forecast(), overloaded(), exampleForecast(), exampleForecast("", fakeRun(ascending(3)))]) {
      const result = only(one, one, { limits: limits(0) });
      expect(result.metrics.length).toBeGreaterThan(3);
      for (const change of result.metrics)
        expect(change).toMatchObject({ verdict: "same", difference: 0, relative: 0, regressed: false });
      expect(result).toMatchObject({ inputs: [], otherDraws: [], ledger: [], regressions: [] });
    }
  });

  test("mirrors when the results are exchanged: differences change their sign, better is worse", () => {
    const [there, back] = [only(scaled(1), scaled(1.3)), only(scaled(1.3), scaled(1))];
    expect(there.metrics.map(({ verdict }) => verdict)).toContain("worse");
    for (const [i, change] of there.metrics.entries()) {
      const other = back.metrics[i]!;
      expect(other.metric).toBe(change.metric);
      expect(other.difference).toBeCloseTo(-change.difference!, 12);
      expect(other.verdict).toBe(opposite[change.verdict]);
      expect(other.halfWidth).toBe(change.halfWidth);
    }
  });

  test("gives a metric in its unit with difference and share, positive when it rose", () => {
    const result = only(scaled(1), scaled(1.25));
    expect(metric("e2e.p50", result)).toMatchObject({ unit: "ms", better: "lower", verdict: "worse" });
    expect(metric("e2e.p50", result).relative).toBeCloseTo(0.25, 12);
    expect(metric("throughput", result).relative).toBeCloseTo(-0.2, 12);
    expect(metric("throughput", result).difference).toBeCloseTo(-0.2 * 1234.5, 9);
  });

  test("keeps a metric that one result lacks, as missing, and leaves out what both lack", () => {
    const without = forecast({ energy: null });
    expect(metric("joulesPerOutputToken", only(forecast(), without))).toMatchObject({
      before: 1.5,
      after: null,
      difference: null,
      verdict: "missing",
    });
    expect(metric("joulesPerOutputToken", only(without, forecast()))).toMatchObject({ before: null, after: 1.5 });
    expect(metric("joulesPerOutputToken", only(without, without))).toBeUndefined();
  });

  test("is restricted to metrics by name, or to the figures of a latency", () => {
    const names = (...chosen: string[]) =>
      only(forecast(), scaled(2), { only: chosen }).metrics.map(({ metric: name }) => name);
    expect(names("throughput", "e2e.p99")).toEqual(["e2e.p99", "throughput"]);
    expect(names("e2e")).toEqual(["e2e.mean", "e2e.p50", "e2e.p90", "e2e.p99"]);
    expect(names()).toEqual([]);
  });

  test("names metrics beyond their limits, and none without limits", () => {
    const regressions = (choice: object, after = scaled(1.1)) => only(forecast(), after, choice).regressions;
    expect(regressions({})).toEqual([]);
    expect(regressions({ limits: limits(5) })).toEqual(["e2e.p50", "e2e.p99", "throughput"]);
    expect(regressions({ limits: limits(5, { e2e: 0.2 }) })).toEqual(["throughput"]);
    expect(regressions({ limits: limits(5), only: ["throughput"] })).toEqual(["throughput"]);
    expect(regressions({ limits: limits(5) }, scaled(0.5))).toEqual([]);
    expect(regressions({ limits: limits(100) }, forecast({ energy: null }))).toEqual(["joulesPerOutputToken"]);
    expect(compareResults(files([forecast()], [scaled(2)]))).toMatchObject({ regressed: false });
    expect(compareResults(files([forecast()], [scaled(2)]), { only: null, limits: limits(5) })).toMatchObject({
      regressed: true,
    });
  });

  test("lists the SLOs of both results with how each came out", () => {
    const [slo] = forecast().slos;
    const after = forecast({
      slos: [{ ...slo!, passed: false, valueText: "812 ms" }, verdict({ metric: "goodput", expression: "rate>90%" })],
    });
    expect(only(forecast({ slos: [slo!] }), after).slos).toEqual([
      {
        metric: "ttft",
        expression: "p(99)<800ms",
        level: "error",
        before: { passed: true, valueText: "612 ms" },
        after: { passed: false, valueText: "812 ms" },
      },
      {
        metric: "goodput",
        expression: "rate>90%",
        level: "error",
        before: null,
        after: { passed: true, valueText: "612 ms" },
      },
    ]);
  });

  test("warns of parts of runs, of overload, of other scenarios and of too few seeds", () => {
    const part = forecast({ interrupted: true });
    expect(only(part, overloaded()).cautions).toEqual([
      { kind: "interrupted", of: "base" },
      { kind: "overloaded", of: "result" },
    ]);
    expect(only(named("one"), named("two")).cautions).toEqual([{ kind: "otherScenario", of: "result" }]);
    const twice = forecast({ repetitions: { seeds: [7, 8], load: ["stable", "stable"], metrics: {}, slos: [] } });
    expect(only(twice, twice)).toMatchObject({ sharedSeeds: 2, cautions: [{ kind: "fewSeeds", of: "result" }] });
  });
});

describe("scenarios", () => {
  const names = (comparison: ReturnType<typeof compareResults>) =>
    comparison.scenarios.map(({ scenario, against }) => [scenario, ...against.map(({ result }) => result.file)]);

  test("are found by name in lists, in the order of the base; those that not all have are named", () => {
    const comparison = compareResults(
      files([named("x"), named("y"), named("gone")], [named("y"), named("new"), named("x")], [named("y")]),
    );
    expect(names(comparison)).toEqual([
      ["x", 1],
      ["y", 1, 2],
    ]);
    expect(comparison.unmatched).toEqual([
      { scenario: "x", presentIn: [0, 1], missingIn: [2] },
      { scenario: "gone", presentIn: [0], missingIn: [1, 2] },
      { scenario: "new", presentIn: [1], missingIn: [0, 2] },
    ]);
  });

  test("of files with one forecast each belong together whatever their names", () => {
    expect(names(compareResults(files([named("x")], [named("y")], [named("z")])))).toEqual([["x", 1, 2]]);
  });

  test("of the base that are gone are a regression where there are limits, new ones are not", () => {
    const regressed = (before: Forecast[], after: Forecast[]) =>
      compareResults(files(before, after), { only: null, limits: limits(5) }).regressed;
    expect(regressed([named("x"), named("y")], [named("x")])).toBe(true);
    expect(regressed([named("x")], [named("x"), named("y")])).toBe(false);
  });

  test("are refused where a name stands twice, a list is empty, or none is shared", () => {
    const refused =
      (...lists: Forecast[][]) =>
      () =>
        compareResults(files(...lists));
    expect(refused([named("x"), named("x")], [named("x")])).toThrow(/a\.json.*\[1\]\.scenario\.name/);
    expect(refused([named("x")], [])).toThrow(/b\.json.*empty list/);
    expect(refused([named("x"), named("y")], [named("z"), named("w")])).toThrow(/b\.json.*x, y.*z/);
    expect(refused([named("x")])).toThrow("two results");
  });
});

test("a change that its figures do not show is the same, more of it without an interval", () => {
  const of = (after: number, halfWidth: number | null) =>
    verdictOfChange({ before: 1000, after, halfWidth, worseBy: after - 1000 });
  expect([of(1000.4, 0), of(1000.6, 0), of(1000.6, 1)]).toEqual(["same", "worse", "noise"]);
  expect([of(1004, null), of(994, null), of(1006, null)]).toEqual(["same", "unknown", "unknown"]);
  expect(verdictOfChange({ before: 0, after: 1e-9, halfWidth: null, worseBy: 1e-9 })).toBe("unknown");
  expect(verdictOfChange({ before: -1e308, after: 1e308, halfWidth: null, worseBy: Infinity })).toBe("missing");
});

test("verdicts: the same both ways with better and worse exchanged, noise only within an interval, unknown only without one", () => {
  const value = fc.double({ noNaN: true, min: -1e9, max: 1e9 });
  fc.assert(
    fc.property(value, value, fc.option(fc.double({ noNaN: true, min: 0, max: 1e9 })), (before, after, halfWidth) => {
      const there = verdictOfChange({ before, after, halfWidth, worseBy: after - before });
      const back = verdictOfChange({ before: after, after: before, halfWidth, worseBy: before - after });
      expect(back).toBe(opposite[there]);
      const large = Math.abs(after - before) >= 0.005 * Math.max(Math.abs(before), Math.abs(after));
      if (!large || after === before) return;
      expect(there === "unknown").toBe(halfWidth === null);
      expect(there === "noise").toBe(halfWidth !== null && Math.abs(after - before) <= halfWidth);
    }),
  );
});
