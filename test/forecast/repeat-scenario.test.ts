import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { InvalidInputError } from "../../src/core/errors.ts";
import { comparedMetrics } from "../../src/forecast/compared-metrics.ts";
import type { Forecast, Repetitions } from "../../src/forecast/forecast.ts";
import { forecastScenario } from "../../src/forecast/forecast-scenario.ts";
import { readForecast } from "../../src/forecast/read-forecast.ts";
import { metLabel, repeatScenario, seedsOf, withRepetitions } from "../../src/forecast/repeat-scenario.ts";
import { jsonExport } from "../../src/report/json.ts";
import { parseScenario } from "../../src/scenario/parse-scenario.ts";
import { forecast, verdict } from "../report/build.ts";

const file = "test/fixtures/scenarios/small.yaml";
const text = readFileSync(file, "utf8").replace(
  "{ kind: fixed, tokens: 50 }",
  "{ kind: lognormal, mean: 50, p50: 40 }",
);
const scenario = (settings: string[] = []) => parseScenario(text, file, { settings });
const noFiles = { readText: () => Promise.reject(new Error("no file was expected")) };
const repeated = await repeatScenario(scenario(), 4, noFiles);
const singles = await Promise.all([1, 2, 3, 4].map((seed) => forecastScenario(scenario([`seed=${seed}`]), noFiles)));

describe("a scenario that is run with several seeds", () => {
  test("has the seeds that follow its own, and goes on at 0 after the largest", () => {
    expect(seedsOf(1, 3)).toEqual([1, 2, 3]);
    expect(seedsOf(4_294_967_294, 4)).toEqual([4_294_967_294, 4_294_967_295, 0, 1]);
  });

  test("gives the forecast of the first, and the figures of each as it has them alone", async () => {
    const { repetitions, slos, passed, ...figures } = repeated;
    const { slos: _, passed: __, ...alone } = await forecastScenario(scenario(), noFiles);
    expect(figures).toEqual(alone);
    expect(repetitions?.seeds).toEqual([1, 2, 3, 4]);
    for (const { name, of } of comparedMetrics) {
      const values = singles.map(of);
      expect(repetitions?.metrics[name], name).toEqual(values.every((value) => value === null) ? undefined : values);
    }
    expect(new Set(repetitions?.metrics["ttft.mean"]).size).toBe(4);
    expect(repetitions?.slos).toEqual(slos.map((_slo, i) => singles.map((run) => run.slos[i]!.passed)));
  });

  test("survives its export, and stays small", () => {
    const json = jsonExport.render([repeated]);
    expect(readForecast(json, "result.json")).toEqual(repeated);
    const without = jsonExport.render([{ ...repeated, repetitions: undefined } as unknown as Forecast]);
    expect(json.length - without.length).toBeLessThan(10_000);
  });

  test("tells progress over all runs, up to their end", async () => {
    const told: [number, number][] = [];
    await repeatScenario(scenario(), 3, { ...noFiles, onProgress: (done, total) => told.push([done, total]) });
    expect(told.at(-1)).toEqual([180, 180]);
    expect(told.every(([done], i) => i === 0 || done >= told[i - 1]![0])).toBe(true);
  });

  test("keeps the runs that are finished when it is interrupted, and the forecast alone where only that is", async () => {
    const interruptedAfter = async (requests: number) => {
      const controller = new AbortController();
      const onProgress = (done: number) => done >= requests && controller.abort();
      return repeatScenario(scenario(), 4, { ...noFiles, signal: controller.signal, onProgress });
    };
    const two = await interruptedAfter(120);
    expect(two.repetitions?.seeds).toEqual([1, 2]);
    expect(two.interrupted).toBe(false);
    const one = await interruptedAfter(60);
    expect(one.repetitions).toBeUndefined();
  });
});

describe("SLOs over seeds", () => {
  const run = (...passed: boolean[]) =>
    forecast({
      slos: passed.map((met, i) => verdict({ passed: met, level: i === 0 ? "error" : "warn" })),
      passed: passed[0]!,
    });

  test("are met where they are with every seed; else it is said with which not", () => {
    const met = withRepetitions([run(true, true), run(true, true)], [7, 8]);
    expect(met).toMatchObject({ passed: true, slos: run(true, true).slos });
    const missed = withRepetitions([run(true, true), run(false, true), run(true, false)], [7, 8, 9]);
    expect(missed.passed).toBe(false);
    expect(missed.slos.map(({ passed, reason }) => [passed, reason])).toEqual([
      [false, "met with 2 of 3 seeds, not with 8"],
      [false, "met with 2 of 3 seeds, not with 9"],
    ]);
    expect(withRepetitions([run(true, true), run(true, false)], [7, 8]).passed).toBe(true);
  });

  test("name few seeds, and count many", () => {
    const seeds = Array.from({ length: 20 }, (_, i) => i);
    expect(
      metLabel(
        seeds.map((seed) => seed > 2),
        seeds,
      ),
    ).toBe("met with 17 of 20 seeds, not with 0, 1, 2");
    expect(
      metLabel(
        seeds.map((seed) => seed > 8),
        seeds,
      ),
    ).toBe("met with 11 of 20 seeds");
    expect(metLabel([false, false], [1, 2])).toBe("met with 0 of 2 seeds");
  });
});

describe("repetitions of a document", () => {
  const problemOf = (changes: Partial<Record<keyof Repetitions, unknown>>): string => {
    const damaged = { ...repeated, repetitions: { ...repeated.repetitions, ...changes } };
    try {
      readForecast(JSON.stringify(damaged), "r.json");
      return "none";
    } catch (error) {
      if (error instanceof InvalidInputError) return error.message;
      throw error;
    }
  };

  test("are refused at their place where they are of other kinds, or not one for each seed", () => {
    expect(problemOf({})).toBe("none");
    expect(problemOf({ seeds: "1" })).toContain("r.json: repetitions.seeds: expected a list of numbers");
    for (const seeds of [[1], [1, 1, 2, 3], [2, 3, 4, 5], [1, 2.5, 3, 4]])
      expect(problemOf({ seeds })).toContain("r.json: repetitions.seeds: expected different whole numbers");
    expect(problemOf({ load: ["stable", "fast", "stable", "stable"] })).toContain("repetitions.load[1]");
    expect(problemOf({ load: ["stable"] })).toContain("repetitions.load: expected 4 values");
    expect(problemOf({ metrics: { throughput: [1, "2", 3, 4] } })).toContain("repetitions.metrics");
    expect(problemOf({ metrics: { throughput: [1] } })).toContain("repetitions.metrics.throughput: expected 4 values");
    expect(problemOf({ slos: [] })).toContain("repetitions.slos: expected a list for each of 2 SLOs");
    expect(problemOf({ slos: [[true], [true, true, true, true]] })).toContain("repetitions.slos[0]");
  });
});
