import { describe, expect, test } from "vitest";
import { predictPoint } from "../../../src/calibrate/engine/predict-point.ts";
import { type MeasuredBenchmark, unstated } from "../../../src/calibrate/measured/measured-benchmark.ts";
import { measuredRun } from "../../../src/calibrate/measured/measured-run.ts";
import type { Measurement } from "../../../src/calibrate/measured/read-measurement.ts";
import type { ServingPoint } from "../../../src/calibrate/measured/serving-point.ts";
import { type Observation, observeDeployment } from "../../../src/calibrate/observed/observe-deployment.ts";
import { closedLoopOf } from "../../../src/calibrate/observed/observed-workload.ts";
import { InvalidInputError } from "../../../src/core/errors.ts";
import type { EngineProfile } from "../../../src/engine/engine-profile.ts";
import { forecastScenario } from "../../../src/forecast/forecast-scenario.ts";
import { resolveScenario } from "../../../src/resolve/resolve-scenario.ts";
import type { ResolvedScenario } from "../../../src/resolve/resolved.ts";
import { parseScenario } from "../../../src/scenario/parse-scenario.ts";
import { simulate } from "../../../src/sim/simulate.ts";
import { validateRun } from "../../../src/validate/run/validate-run.ts";
import { minimal } from "../../scenario/example.ts";
import { servingPoint } from "../example-points.ts";

const noFiles = { readText: () => Promise.reject(new Error("no file was expected")) };
const text = `${minimal.replace("{ id: vllm }", "{ id: vllm, maxModelLen: 4096 }")}parallel: { tp: 2, etp: 2 }\n`;
const scenario = parseScenario(text, "test.yaml");
const resolved = await resolveScenario(scenario, noFiles);
const base = resolved.config.engine;

/** An engine as it may be on someone's machine: slower in its kernels and, most of all, between them. */
const slower: EngineProfile = {
  ...base,
  kernelExcess: 1.4 * base.kernelExcess,
  prefillExcess: 1.4 * base.prefillExcess,
  kernelOverheadNs: 1.5 * base.kernelOverheadNs,
  stepOverheadNs: 1.5 * base.stepOverheadNs,
  requestOverheadNs: base.requestOverheadNs + 30e6,
};

const stated = (parts: Partial<ServingPoint>) =>
  servingPoint({
    model: "Qwen/Qwen3-30B-A3B",
    system: "h100_sxm",
    precision: "bf16",
    promptTokens: 256,
    outputTokens: 64,
    ...parts,
  });

/** What the scenario's deployment shows under the load and in the layout of a point. */
function simulated(point: ServingPoint, engine: EngineProfile) {
  const { tp, dp, ep, etp } = point;
  return predictPoint(
    closedLoopOf({ ...resolved.config, engine, mapping: { tp, cp: 1, dp, pp: 1, ep, etp, edp: 1 } }, point),
  );
}

/** A point as it would be measured on the slower engine. */
function measured(parts: Partial<ServingPoint>): ServingPoint {
  const point = stated(parts);
  const { tpotMs, ttftMs } = simulated(point, slower);
  return { ...point, tpotMs, ttftMs };
}

const observation = (measurement: Measurement, acceptsDifferences = false): Observation => ({
  measurement,
  file: "mine.csv",
  sha256: "ab",
  acceptsDifferences,
});
/** Adjusted to a point whatever it shows. */
const stretched = (point: ServingPoint): ResolvedScenario =>
  observeDeployment(resolved, observation({ kind: "points", points: [point] }, true));
const observe = (...points: readonly ServingPoint[]): ResolvedScenario =>
  observeDeployment(resolved, observation({ kind: "points", points }));

const concurrencies = [1, 8, 64];
const points = concurrencies.map((concurrency) => measured({ concurrency, line: concurrency + 1 }));
const [one, eight, many] = points as [ServingPoint, ServingPoint, ServingPoint];

/** Size of the TPOT error at a point, percent. */
const errorAt = (point: ServingPoint, engine: EngineProfile): number =>
  100 * Math.abs(simulated(point, engine).tpotMs / (point.tpotMs ?? 0) - 1);
const meanError = (engine: EngineProfile): number =>
  points.reduce((sum, point) => sum + errorAt(point, engine), 0) / points.length;

const detail = ({ ledger }: ResolvedScenario, topic: string) => ledger.find((entry) => entry.topic === topic)?.detail;

function problemsOf(measurement: Measurement) {
  try {
    observeDeployment(resolved, observation(measurement));
    return [];
  } catch (error) {
    if (error instanceof InvalidInputError) return error.problems;
    throw error;
  }
}

describe("observing points of a deployment", () => {
  test("brings the observed load close to its measured TPOT, and other loads closer than they were", () => {
    const { engine } = observe(eight).config;
    expect(errorAt(eight, base)).toBeGreaterThan(10);
    expect(errorAt(eight, engine)).toBeLessThan(4);
    expect(errorAt(one, engine)).toBeLessThan(0.7 * errorAt(one, base));
    expect(errorAt(many, engine)).toBeLessThan(0.7 * errorAt(many, base));
  });

  test("narrows the error with every further point", () => {
    const all = meanError(observe(...points).config.engine);
    expect(all).toBeLessThan(meanError(observe(eight).config.engine) + 0.1);
    expect(all).toBeLessThan(2);
  });

  test("moves little when the points show what was forecast anyway", () => {
    const point = stated({ concurrency: 8 });
    const { tpotMs, ttftMs } = simulated(point, base);
    const { engine } = observe({ ...point, tpotMs, ttftMs }).config;
    // Figures keep four digits.
    expect(engine.kernelExcess / base.kernelExcess).toBeCloseTo(1, 3);
    expect(engine.kernelOverheadNs / base.kernelOverheadNs).toBeCloseTo(1, 3);
  });

  test("stays within the priors of the factors, however far a measurement is", () => {
    const { engine } = stretched({ ...eight, tpotMs: 20 * (eight.tpotMs ?? 0) }).config;
    expect(engine.kernelExcess / base.kernelExcess).toBeLessThan(8);
    expect(engine.collectiveFactor / base.collectiveFactor).toBeLessThan(3);
  });

  test("takes what TTFT leaves beside the prefill for the handling of requests", () => {
    const { engine } = observe(one).config;
    const added = (engine.requestOverheadNs - base.requestOverheadNs) / 1e6;
    expect(added).toBeGreaterThan(25);
    expect(added).toBeLessThan(35);
    expect(observe({ ...one, ttftMs: null }).config.engine.requestOverheadNs).toBe(base.requestOverheadNs);
  });

  test("changes nothing of the scenario but the engine", () => {
    const { engine: _adjusted, ...config } = observe(eight).config;
    const { engine: _stated, ...before } = resolved.config;
    expect(config).toEqual(before);
  });

  test("also learns from another layout, but less", () => {
    const other = measured({ concurrency: 8, tp: 4, etp: 4, devices: 4 });
    const { engine } = observe(other).config;
    expect(errorAt(eight, engine)).toBeLessThan(errorAt(eight, base));
    const moved = (adjusted: EngineProfile) => Math.abs(Math.log(adjusted.kernelOverheadNs / base.kernelOverheadNs));
    expect(moved(engine)).toBeLessThan(moved(observe(eight).config.engine));
    expect(detail(observe(other), "observed")).toContain("tp 4 dp 1 ep 1 etp 4");
  });

  test("gives equal figures for equal observations", () => {
    expect(observe(eight, one).config.engine).toEqual(observe(eight, one).config.engine);
  });
});

describe("the ledger of an observed deployment", () => {
  test("tells what was observed, TPOT before and after, and by how much the engine was moved", () => {
    const text = detail(observe(eight), "observed") ?? "";
    expect(text).toMatch(/^engine adjusted to 1 measured load of mine\.csv \(8 clients, 256 \+ 64 tokens: TPOT/);
    const [, before, after, served] = /TPOT ([\d.]+) -> ([\d.]+) ms, measured ([\d.]+)/.exec(text) ?? [];
    expect(Number(served)).toBeCloseTo(eight.tpotMs ?? 0, 1);
    expect(Number(before)).toBeCloseTo(simulated(eight, base).tpotMs, 1);
    expect(Number(after)).toBeCloseTo(simulated(eight, observe(eight).config.engine).tpotMs, 1);
    expect(Math.abs(Number(after) - Number(served))).toBeLessThan(Math.abs(Number(before) - Number(served)) / 3);
    expect(text).toMatch(/kernels x 1\.\d\d, .*launches x 1\.\d\d.*handling of a request/);
  });

  test("doubts a measurement that no deployment of the engine would show", () => {
    const strange = { ...eight, tpotMs: 3 * (eight.tpotMs ?? 0) };
    expect(detail(stretched(strange), "observed")).toContain("does the scenario describe");
    expect(() => observe(strange)).toThrow(
      /TPOT of 8 clients, 256 \+ 64 tokens [\d.]+ times the forecast.*larger model/,
    );
    const fast = { ...eight, tpotMs: 0.2 * (eight.tpotMs ?? 0) };
    expect(() => observe(fast)).toThrow(/0\.\d\d times the forecast.*smaller model.*--accept-differences/);
    expect(detail(observe(eight), "observed")).not.toContain("does the scenario describe");
  });

  test("names the file among the inputs", () => {
    expect(observe(eight).inputs.at(-1)).toEqual({ role: "observed", name: "mine.csv", sha256: "ab" });
  });

  test("states the error of points that were forecast from the others, from two points on", () => {
    expect(detail(observe(one), "observed, error")).toBeUndefined();
    expect(detail(observe(one, many), "observed, error")).toMatch(/from one other [\d.]+ %$/);
    const [, others, single] =
      /from all others ([\d.]+) %, from one other ([\d.]+) %/.exec(
        detail(observe(...points), "observed, error") ?? "",
      ) ?? [];
    expect(Number(others)).toBeGreaterThan(0);
    expect(Number(others)).toBeLessThanOrEqual(Number(single));
    expect(Number(single)).toBeLessThan(meanError(base));
  });

  test("lets the forecast take the bands of observed deployments", async () => {
    const observed = observation({ kind: "points", points: [eight] });
    const forecast = await forecastScenario(scenario, { ...noFiles, observed });
    expect(observe(eight).observed).toBe(true);
    expect(detail({ ...resolved, ledger: forecast.ledger }, "accuracy")).toContain("adjusted to measured points");
  });

  test("counts repeats of one configuration as one load", () => {
    const repeat = { ...eight, tpotMs: 1.02 * (eight.tpotMs ?? 0), line: 99 };
    expect(detail(observe(eight, repeat), "observed")).toContain("1 measured load ");
    expect(detail(observe(eight, repeat), "observed, error")).toBeUndefined();
  });

  test("tells three loads and counts the rest", () => {
    const four = [...points, measured({ concurrency: 2 })];
    expect(detail(observe(...four), "observed")).toMatch(/4 measured loads.*and 1 more\)/);
  });
});

describe("points of something else", () => {
  test("are refused by file and line, with what the scenario has, all at once", () => {
    const wrong = [
      { ...eight, model: "deepseek-ai/DeepSeek-V3", precision: "fp8", line: 2 },
      { ...eight, system: "h200_sxm", line: 3 },
      { ...eight, engine: "sglang", line: 4 },
      { ...eight, precision: "fp8", line: 5 },
      { ...eight, model: "someone/unheard-of", line: 6 },
      { ...eight, tpotMs: null, line: 7 },
      { ...eight, tp: 3, etp: 3, devices: 3, line: 8 },
    ];
    const problems = problemsOf({ kind: "points", points: wrong });
    expect([...new Set(problems.map(({ line }) => line))]).toEqual([2, 3, 4, 5, 6, 7, 8]);
    for (const { file } of problems) expect(file).toBeTruthy();
    expect(problems[0]).toMatchObject({ at: "model", found: "deepseek-ai/DeepSeek-V3" });
    expect(problems[0]?.expected).toContain("qwen3-30b-a3b");
    expect(problems[1]?.expected).toContain("h100-sxm");
    expect(problems[2]?.expected).toContain("vllm");
    expect(problems[3]?.expected).toContain("bf16");
  });

  test("are told apart by width of the weights only: fp8 is fp8 by block or tensor", async () => {
    const fp8 = parseScenario(
      text.replace("{ id: qwen3-30b-a3b }", "{ id: qwen3-30b-a3b, dtypes: { experts: fp8 } }"),
      "t.yaml",
    );
    const served = await resolveScenario(fp8, noFiles);
    const points = [{ ...eight, precision: "fp8" }];
    expect(() => observeDeployment(served, observation({ kind: "points", points }))).not.toThrow();
  });
});

function benchmark(changes: Partial<MeasuredBenchmark>): Measurement {
  const given: MeasuredBenchmark = {
    ...unstated,
    format: "vllm-bench",
    deployment: { ...unstated.deployment, model: "my-server" },
    concurrency: 8,
    requests: 100,
    metrics: { tpot: { mean: eight.tpotMs ?? 0 }, ttft: { mean: eight.ttftMs ?? 0 } },
    meanPromptTokens: 230,
    meanOutputTokens: 58,
    ...changes,
  };
  return { kind: "benchmark", runs: [given] };
}

describe("deployments of several pools", () => {
  test.each(["pools: [{ name: a }, { name: b }]", "pools: [{ name: a, role: prefill }, { name: b, role: decode }]"])(
    "are not adjusted, and no band promises it: %s",
    async (section) => {
      const apart = parseScenario(`${text}${section}\n`, "test.yaml");
      const measurement = { kind: "points", points } as const;
      const given = await resolveScenario(apart, noFiles);
      expect(() => observeDeployment(given, observation(measurement))).toThrow(
        'mine.csv: expected a scenario of one pool, to be adjusted to measurements, found "2 pools"',
      );
      const { bands } = await forecastScenario(apart, noFiles);
      expect(bands?.withPoint).toEqual(bands?.factors);
    },
  );
});

describe("observing a benchmark", () => {
  const adjusted = (measurement: Measurement) => observeDeployment(resolved, observation(measurement));

  test("of a closed loop is as good as the point it stands for", () => {
    const { engine } = adjusted(benchmark({})).config;
    expect(errorAt(eight, engine)).toBeLessThan(4);
    expect(engine.requestOverheadNs).toBeGreaterThan(base.requestOverheadNs + 20e6);
  });

  test("without a number of clients finds it by Little's law, and leaves its TTFT alone", () => {
    const e2eS = ((eight.ttftMs ?? 0) + (eight.tpotMs ?? 0) * 57) / 1000;
    const byRate = benchmark({ concurrency: null, requestRate: 8 / e2eS });
    expect(detail(adjusted(byRate), "observed")).toContain("8.0 requests at a time, 230 + 58 tokens");
    expect(errorAt(eight, adjusted(byRate).config.engine)).toBeLessThan(4);
    expect(adjusted(byRate).config.engine.requestOverheadNs).toBe(base.requestOverheadNs);
    const byThroughput = benchmark({
      concurrency: null,
      requestThroughput: 4,
      metrics: { tpot: { p50: 10 }, e2e: { mean: 3000 } },
    });
    expect(detail(adjusted(byThroughput), "observed")).toContain("12.0 requests at a time");
  });

  test("takes TPOT from E2E and TTFT, and lengths from the scenario, where it does not state them", () => {
    const lengths = { meanPromptTokens: null, meanOutputTokens: null };
    const text = detail(
      adjusted(benchmark({ ...lengths, metrics: { ttft: { mean: 20 }, e2e: { mean: 110 } } })),
      "observed",
    );
    expect(text).toContain("100 + 10 tokens");
    expect(text).toContain("ms, measured 10, TTFT");
  });

  test("counts every run of its file", () => {
    const first = benchmark({}) as Extract<Measurement, { kind: "benchmark" }>;
    const second = benchmark({ concurrency: 1, metrics: { tpot: { mean: one.tpotMs ?? 0 } } }) as typeof first;
    const both = adjusted({ ...first, runs: [first.runs[0], second.runs[0]] });
    expect(detail(both, "observed")).toContain("2 measured loads");
    expect(meanError(both.config.engine)).toBeLessThan(meanError(base) / 3);
  });

  test("takes the runs that show a TPOT, and says how many do not", () => {
    const first = benchmark({}) as Extract<Measurement, { kind: "benchmark" }>;
    const prompt = benchmark({ metrics: { ttft: { mean: 50 } } }) as typeof first;
    const both = adjusted({ ...first, runs: [first.runs[0], prompt.runs[0]] });
    expect(both.config.engine).toEqual(adjusted(first).config.engine);
    expect(detail(both, "observed, as read")).toContain("1 of 2 runs show no TPOT: left out");
  });

  test("is refused without a TPOT, without a load, or of another model", () => {
    expect(problemsOf(benchmark({ metrics: { ttft: { mean: 1 } } }))[0]?.expected).toContain("TPOT");
    const unloaded = { concurrency: null, metrics: { tpot: { mean: 5 } } };
    expect(problemsOf(benchmark(unloaded))[0]?.expected).toContain("the load");
    expect(
      problemsOf(benchmark({ deployment: { ...unstated.deployment, model: "deepseek-ai/DeepSeek-V3" } }))[0],
    ).toMatchObject({ at: "model" });
  });
});

describe("observing a run request by request", () => {
  const { requests } = simulate({ ...resolved.config, engine: slower });
  const run = measuredRun(
    Array.from(requests.arrivalNs, (arrivalNs, i) => ({
      arrivalSeconds: arrivalNs / 1e9,
      promptTokens: requests.promptTokens[i] ?? 0,
      outputTokens: requests.outputTokens[i] ?? 0,
      ttftMs: ((requests.firstTokenNs[i] ?? 0) - arrivalNs) / 1e6,
      e2eMs: ((requests.lastTokenNs[i] ?? 0) - arrivalNs) / 1e6,
      queueMs: null,
    })),
    { file: "mine.jsonl", digest: "cd" },
    [],
  );
  const observed = observation({ kind: "run", run });

  test("replays it, and forecasts other loads from there", () => {
    const { engine } = observeDeployment(resolved, observed).config;
    expect(errorAt(eight, engine)).toBeLessThan(errorAt(eight, base) / 2);
    expect(engine.requestOverheadNs / slower.requestOverheadNs).toBeCloseTo(1, 1);
  });

  test("serves a scenario, and the validation of another measurement", async () => {
    const [before, after] = [
      await forecastScenario(scenario, noFiles),
      await forecastScenario(scenario, { ...noFiles, observed }),
    ];
    const truth = run.tpotMs.reduce((sum, value) => sum + value, 0) / run.requests.count;
    const off = (mean: number | null) => Math.abs((mean ?? 0) / truth - 1);
    expect(off(after.latency.tpot.mean)).toBeLessThan(off(before.latency.tpot.mean) / 3);
    expect(after.inputs.map(({ role }) => role)).toContain("observed");
    const validation = await validateRun(scenario, { kind: "run", run }, { ...noFiles, inputs: [], observed });
    expect(validation.perRequest?.tpot.meanAbsolutePercent).toBeLessThan(3);
    expect(validation.inputs.map(({ role }) => role)).toEqual(["scenario", "observed"]);
  });

  test("is refused when its requests have a single output token", () => {
    const single = { ...run, tpotMs: run.tpotMs.map(() => Number.NaN) };
    expect(problemsOf({ kind: "run", run: single })[0]?.expected).toContain("TPOT");
  });
});
