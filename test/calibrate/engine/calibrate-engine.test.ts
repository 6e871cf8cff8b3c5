import { describe, expect, test } from "vitest";
import { calibrateEngines } from "../../../src/calibrate/engine/calibrate-engine.ts";
import { closedLoop, closedLoopTpotNs } from "../../../src/calibrate/engine/closed-loop.ts";
import { fittedProfile } from "../../../src/calibrate/engine/fitted-profile.ts";
import { logsOf } from "../../../src/calibrate/engine/serving-figures.ts";
import type { ServingPoint } from "../../../src/calibrate/measured/serving-point.ts";
import { engineNamed, engineProfileNamed, parseEngineProfile } from "../../../src/engine/catalogue.ts";
import type { EngineProfile } from "../../../src/engine/engine-profile.ts";
import { engineOfVersion, resolveEngine } from "../../../src/engine/resolve-engine.ts";
import { configOf, measuredOn, predictionOf, smallPoint } from "../simulated-points.ts";

const truth: EngineProfile = {
  ...engineNamed("vllm"),
  versions: {},
  stepOverheadNs: 1.2e6,
  kernelExcess: 0.6,
  prefillExcess: 1.2,
  requestOverheadNs: 60e6,
  promptTokenDelayNs: 10_000,
};
const oss = { model: "openai/gpt-oss-120b", precision: "fp4", system: "h200_sxm" };
const loads = [1, 4, 16].map((concurrency) => smallPoint({ concurrency, outputTokens: 64 }));
/** TPOT in the steady state of the points' closed loops, ms. */
const steadyMs = (point: ServingPoint, engine: EngineProfile) =>
  closedLoopTpotNs(closedLoop(configOf(point, engine)), logsOf(engine).map(Math.exp)) / 1e6;
const vllm = measuredOn([...loads, ...loads.map((point) => ({ ...point, ...oss }))], truth).map((point) => ({
  ...point,
  tpotMs: steadyMs(point, truth),
}));
const sglang = measuredOn([smallPoint({ engine: "sglang", version: "0.5.9" })]);

/** Mean sizes of the relative errors of an engine over the points of vLLM. */
function errorsWith(engine: EngineProfile): { tpot: number; ttft: number } {
  const errors = vllm.map((point) => {
    const own = engineOfVersion(engine, point.version);
    const ttftMs = predictionOf(point, own).ttftMs;
    return [steadyMs(point, own) / point.tpotMs - 1, ttftMs / (point.ttftMs ?? 0) - 1] as const;
  });
  const mean = (metric: 0 | 1) => errors.reduce((sum, error) => sum + Math.abs(error[metric]), 0) / errors.length;
  return { tpot: mean(0), ttft: mean(1) };
}

describe("engines fitted to measured points", () => {
  const calibrations = calibrateEngines([...sglang, ...vllm]);

  test("are all that the points name, in order, with their points and groups", () => {
    expect(calibrations.map(({ engine, points, groups }) => [engine.id, points, groups])).toEqual([
      ["sglang", 1, 1],
      ["vllm", 6, 2],
    ]);
  });

  test("forecast the points they were fitted to far better than an engine nobody measured", () => {
    const fitted = errorsWith(calibrations[1]?.engine as EngineProfile);
    const blind = errorsWith(engineNamed("vllm"));
    expect(fitted.tpot).toBeLessThan(blind.tpot / 2);
    expect(fitted.ttft).toBeLessThan(blind.ttft / 2);
    expect(calibrations[1]?.medianAbsolutePercent).toBeLessThan(7);
  });

  test("know the versions of their points, and keep what is not fitted", () => {
    const { engine } = calibrations[0] ?? { engine: truth };
    expect(Object.keys(engine.versions)).toEqual(["0.5.9"]);
    expect(engine.defaults).toEqual(engineNamed("sglang").defaults);
  });

  test("are one when one is wanted, fitted together with the others all the same", () => {
    expect(calibrateEngines([...sglang, ...vllm], "sglang")).toEqual(calibrations.slice(0, 1));
    expect(calibrateEngines(vllm, "sglang")).toEqual([]);
  });

  test("say which counts of kernels no point of theirs has", () => {
    const [, calibration] = calibrations;
    if (calibration === undefined) throw new Error("no calibration");
    const profile = fittedProfile(engineProfileNamed("vllm"), calibration, { name: "points.csv", date: "2026-01-31" });
    expect(profile.layerKernels.indexer.kind).toBe("estimated");
    expect(profile.layerKernels.attention.kind).toBe("measured");
    expect(profile.formatKernels.mxfp4.kind).toBe("measured");
  });

  test("print as a profile that reads back to three digits of every figure", () => {
    const [calibration] = calibrations;
    if (calibration === undefined) throw new Error("no calibration");
    const table = { name: "points.csv", date: "2026-01-31" };
    const profile = fittedProfile(engineProfileNamed("sglang"), calibration, table);
    const read = resolveEngine(parseEngineProfile(JSON.parse(JSON.stringify(profile)), "mine.json"));
    const { stepOverheadNs, kernelExcess, versions } = calibration.engine;
    expect(Math.abs(read.stepOverheadNs / stepOverheadNs - 1)).toBeLessThan(0.005);
    expect(Math.abs(read.kernelExcess / kernelExcess - 1)).toBeLessThan(0.005);
    expect(Object.keys(read.versions)).toEqual(Object.keys(versions));
    expect(profile.stepOverheadNs.source).toContain("1 measured points of 1 models and systems in points.csv");
  });
});
