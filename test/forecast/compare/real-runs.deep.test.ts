import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { meanInterval } from "../../../src/core/statistics.ts";
import { localFiles } from "../../../src/files/local-files.ts";
import { compareResults } from "../../../src/forecast/compare/compare-results.ts";
import type { MetricChange } from "../../../src/forecast/compare/comparison.ts";
import { intervalLevel } from "../../../src/forecast/compare/paired-interval.ts";
import type { Forecast } from "../../../src/forecast/forecast.ts";
import { repeatScenario } from "../../../src/forecast/repeat-scenario.ts";
import { parseScenario } from "../../../src/scenario/parse-scenario.ts";

const bundled = join(import.meta.dirname, "..", "..", "..", "scenarios");
const seeds = 4;

/** A bundled scenario with `count` seeds. */
function repeated(name: string, settings: string[] = [], count = seeds): Promise<Forecast> {
  const file = join(bundled, name);
  return repeatScenario(parseScenario(readFileSync(file, "utf8"), file, { settings }), count, localFiles);
}

/** Metrics of two results. */
const changes = (before: Forecast, after: Forecast): readonly MetricChange[] =>
  compareResults([
    { file: "a", forecasts: [before] },
    { file: "b", forecasts: [after] },
  ]).scenarios[0]!.against[0]!.metrics;

/** Half-width of the interval of a difference from the spread of each result over its seeds, as if they were independent. */
function unpaired(name: string, ...results: readonly [Forecast, Forecast]): number {
  const [one, two] = results.map(
    ({ repetitions }) =>
      meanInterval(
        repetitions!.metrics[name]!.map((value) => value!),
        intervalLevel,
      ).halfWidth,
  );
  return Math.hypot(one!, two!);
}

describe.each([
  ["quickstart.yaml", "policy.offload.flags=--n-cpu-moe 3", "traffic.arrivals.maxConcurrency=1"],
  ["ci/pass.yaml", "engine.maxNumBatchedTokens=2048", "engine.maxNumSeqs=2"],
] as const)("results of %s over seeds", (name, setting, worse) => {
  let base: Forecast;
  let other: Forecast;
  let elsewhere: Forecast;

  beforeAll(async () => {
    base = await repeated(name);
    other = await repeated(name, [setting]);
    elsewhere = await repeated(name, ["seed=101"]);
  }, 600_000);

  test("have narrower intervals in pairs than as independent runs", () => {
    const compared = changes(base, other).filter(({ halfWidth }) => halfWidth !== null && halfWidth > 0);
    const ratios = compared.map(({ metric, halfWidth }) => halfWidth! / unpaired(metric, base, other));
    expect(compared.every(({ basis }) => basis === "seeds")).toBe(true);
    expect(ratios.sort((a, b) => a - b)[Math.floor(ratios.length / 2)]).toBeLessThan(0.5);
  });

  test("that differ in their seeds alone are inside the noise, in 95 % of metrics and more", () => {
    const verdicts = changes(base, elsewhere).map(({ verdict }) => verdict);
    const quiet = verdicts.filter((verdict) => verdict === "noise" || verdict === "same").length;
    expect(quiet / verdicts.length).toBeGreaterThanOrEqual(0.95);
  });

  test("of single runs that differ in their seeds alone are neither better nor worse, in 95 % of metrics and more", () => {
    const firstRun = (over: Forecast): Forecast => {
      const { repetitions: _, ...first } = over;
      return first;
    };
    const compared = changes(firstRun(base), firstRun(elsewhere));
    const told = compared.filter(({ verdict }) => verdict === "better" || verdict === "worse");
    expect(told.length / compared.length).toBeLessThanOrEqual(0.05);
    // ITL is not kept by part: its figures have no interval.
    expect(compared.filter(({ verdict }) => verdict === "unknown").every(({ metric }) => /^itl|Hit/.test(metric))).toBe(
      true,
    );
  });

  test("show a real regression", async () => {
    const slow = changes(base, await repeated(name, [worse]));
    expect(slow.some(({ verdict }) => verdict === "worse")).toBe(true);
  }, 600_000);
});
