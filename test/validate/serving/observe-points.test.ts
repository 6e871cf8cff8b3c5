import { describe, expect, test } from "vitest";
import type { ServingPoint } from "../../../src/calibrate/measured/serving-point.ts";
import { engineNamed } from "../../../src/engine/catalogue.ts";
import type { EngineProfile } from "../../../src/engine/engine-profile.ts";
import { middlePoints, observePoints } from "../../../src/validate/serving/observe-points.ts";
import { measuredOn, predictionOf, smallPoint } from "../../calibrate/simulated-points.ts";

const committed = engineNamed("vllm", smallPoint().version);
/** An engine whose kernels and steps take longer than the committed profile says, and requests twice as long. */
const truth: EngineProfile = {
  ...committed,
  kernelExcess: 1.12 * committed.kernelExcess,
  prefillExcess: 1.12 * committed.prefillExcess,
  kernelOverheadNs: 1.3 * committed.kernelOverheadNs,
  stepOverheadNs: 1.3 * committed.stepOverheadNs,
  requestOverheadNs: 2 * committed.requestOverheadNs,
};

/** Mean sizes of the errors of forecasts with an engine against those with the truth. */
function errorsOf(points: readonly ServingPoint[], engineFor: (point: ServingPoint) => EngineProfile | null) {
  const errors = points.map((point) => {
    const [found, right] = [predictionOf(point, engineFor(point) ?? committed), predictionOf(point, truth)];
    return [Math.abs(found.tpotMs / right.tpotMs - 1), Math.abs(found.ttftMs / right.ttftMs - 1)] as const;
  });
  const mean = (metric: 0 | 1) => errors.reduce((sum, error) => sum + error[metric], 0) / errors.length;
  return { tpot: mean(0), ttft: mean(1) };
}

const series = [1, 4, 16].map((concurrency) => smallPoint({ concurrency }));

describe("engines adjusted to observed points", () => {
  test("forecast the rest of a series better by one of its points, TPOT and TTFT", () => {
    const adjusted = errorsOf(series, observePoints(measuredOn(series.slice(1, 2), truth)));
    const before = errorsOf(series, () => committed);
    expect(before.tpot).toBeGreaterThan(0.1);
    expect(adjusted.tpot).toBeLessThan(before.tpot / 3);
    expect(adjusted.ttft).toBeLessThan(before.ttft / 3);
  });

  test("are the committed profile where nothing is observed of model, system, engine or precision", () => {
    const observed = measuredOn(series.slice(1, 2), truth);
    for (const other of [{ model: "Qwen/Qwen3-235B-A22B" }, { system: "h200_sxm" }, { precision: "bf16" }])
      expect(observePoints(observed)(smallPoint(other))).toEqual(committed);
    const sglang = smallPoint({ engine: "sglang" });
    expect(observePoints(observed)(sglang)).toEqual(engineNamed("sglang", sglang.version));
  });

  test("follow points of their own layout more than contrary ones of another", () => {
    const own = smallPoint();
    const other = smallPoint({ tp: 1, etp: 1, devices: 1 });
    const ratio = (point: ServingPoint, engine: EngineProfile | null) =>
      predictionOf(point, engine ?? committed).tpotMs / predictionOf(point).tpotMs;
    const slowerBy = (point: ServingPoint, factor: number) => ({
      ...point,
      tpotMs: factor * predictionOf(point).tpotMs,
    });
    const engineFor = observePoints([slowerBy(own, 1.2), slowerBy(other, 1 / 1.2)]);
    expect(ratio(own, engineFor(own))).toBeGreaterThan(1.04);
    expect(ratio(other, engineFor(other))).toBeLessThan(0.97);
  });

  test("take other versions of the engine only where their own was not observed", () => {
    const own = smallPoint();
    const [other] = measuredOn([{ ...own, version: "0.0.0-of-nobody" }], truth);
    const [observed] = measuredOn([own], truth);
    if (other === undefined || observed === undefined) throw new Error("no point");
    const slow = { ...other, tpotMs: 3 * (other.tpotMs ?? 0) };
    expect(observePoints([observed, slow])(own)).toEqual(observePoints([observed])(own));
    expect(observePoints([slow])(own)?.kernelExcess).toBeGreaterThan(committed.kernelExcess);
  });

  test("pass over observations that cannot be simulated", () => {
    const impossible = smallPoint({ ep: 8 });
    expect(observePoints([impossible])(smallPoint())).toEqual(committed);
    const engineless = smallPoint({ engine: "toyserve" });
    expect(observePoints([engineless])(engineless)).toBeNull();
  });
});

describe("the points that are given", () => {
  test("are one of each series, at its middle concurrency, whatever the order", () => {
    const table = [64, 1, 16, 4, 256].map((concurrency) => smallPoint({ concurrency }));
    expect(middlePoints(table).map(({ concurrency }) => concurrency)).toEqual([16]);
    expect(middlePoints(table.toReversed()).map(({ concurrency }) => concurrency)).toEqual([16]);
    const loads = [...table, ...table.map((point) => ({ ...point, promptTokens: 128 }))];
    expect(middlePoints(loads).map(({ promptTokens }) => promptTokens)).toEqual([64, 128]);
  });

  test("are none of a series of one point, repeats of it included", () => {
    expect(middlePoints([smallPoint(), smallPoint({ tpotMs: 11, line: 3 })])).toEqual([]);
  });
});
