import { describe, expect, test } from "vitest";
import { type ClosedLoop, closedLoopTpotNs } from "../../../src/calibrate/engine/closed-loop.ts";
import type { FittedServing, ServingSample } from "../../../src/calibrate/engine/fit-serving.ts";
import { fitVersions, versionFigures, versionProfile } from "../../../src/calibrate/engine/fit-versions.ts";
import { figuresOf, logsOf } from "../../../src/calibrate/engine/serving-figures.ts";
import { engineNamed } from "../../../src/engine/catalogue.ts";
import { engineOfVersion } from "../../../src/engine/resolve-engine.ts";
import { loopOf } from "./example-loops.ts";

const vllm = { ...engineNamed("vllm"), versions: {} };
const logs = logsOf(vllm);
const fit: FittedServing = { engines: new Map([["vllm", logs]]), common: logs };
const loops = [1, 16, 64].map((concurrency) => loopOf({ concurrency }));
const tpotNs = (loop: ClosedLoop, figures: Float64Array) => closedLoopTpotNs(loop, figures.map(Math.exp));

/** What a version shows whose steps take `factor` times what the engine's do. */
const shown = (version: string, factor: number, weight = 1): ServingSample[] =>
  loops.map((loop) => ({ loop, engine: "vllm", version, tpotNs: factor * tpotNs(loop, logs), weight }));

const fitted = (samples: readonly ServingSample[], version: string) =>
  versionFigures(logs, fitVersions(fit, samples).get("vllm")?.get(version));
const ratios = (figures: Float64Array) => loops.map((loop) => tpotNs(loop, figures) / tpotNs(loop, logs));

describe("factors of the versions of an engine", () => {
  test("are 1 for a version that shows what the engine does, and for one that nobody measured", () => {
    for (const version of ["same", "unmeasured"])
      for (const ratio of ratios(fitted(shown("same", 1), version))) expect(ratio).toBeCloseTo(1, 6);
  });

  test("follow many points of a version, and few of them only part of the way", () => {
    const [few, many] = [ratios(fitted(shown("fast", 0.9), "fast")), ratios(fitted(shown("fast", 0.9, 300), "fast"))];
    for (const [i, ratio] of many.entries()) {
      expect(Math.abs(ratio / 0.9 - 1)).toBeLessThan(0.02);
      expect(few[i]).toBeGreaterThan(ratio);
      expect(few[i]).toBeLessThan(1);
    }
  });

  test("of one version say nothing about another", () => {
    const alone = fitted(shown("fast", 0.9), "fast");
    expect(fitted([...shown("fast", 0.9), ...shown("slow", 1.3)], "fast")).toEqual(alone);
  });

  test("in a profile give the engine that was fitted", () => {
    const factors = fitVersions(fit, shown("fast", 0.9)).get("vllm")?.get("fast") as Float64Array;
    const engine = engineOfVersion({ ...vllm, versions: { fast: versionProfile(factors) } }, "fast");
    const { kernelExcess, prefillExcess, kernelOverheadNs, stepOverheadNs } = figuresOf(versionFigures(logs, factors));
    expect(engine.kernelExcess).toBeCloseTo(kernelExcess, 9);
    expect(engine.prefillExcess).toBeCloseTo(prefillExcess, 9);
    expect(engine.kernelOverheadNs).toBeCloseTo(kernelOverheadNs, 6);
    expect(engine.stepOverheadNs).toBeCloseTo(stepOverheadNs, 6);
  });
});
