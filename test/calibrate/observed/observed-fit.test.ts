import { describe, expect, test } from "vitest";
import { closedLoopTpotNs } from "../../../src/calibrate/engine/closed-loop.ts";
import { type FigureName, figureIndex, figureNames, logsOf } from "../../../src/calibrate/engine/serving-figures.ts";
import { observeServing } from "../../../src/calibrate/observed/observed-fit.ts";
import { engineNamed } from "../../../src/engine/catalogue.ts";
import { loopOf } from "../engine/example-loops.ts";

const base = logsOf(engineNamed("vllm"));
const concurrencies = [1, 4, 16, 64, 256];
const loops = concurrencies.map((concurrency) => loopOf({ concurrency }));
const scaled = (factors: Partial<Record<FigureName, number>>) =>
  base.map((log, index) => log + Math.log(factors[figureNames[index] as FigureName] ?? 1));
/** A deployment that differs from the profile in two ways at once. */
const truth = scaled({ kernelExcess: 1.12, prefillExcess: 1.12, kernelOverheadNs: 1.3, stepOverheadNs: 1.3 });
const tpotNs = (loop: (typeof loops)[number], logs: Float64Array) => closedLoopTpotNs(loop, logs.map(Math.exp));
const observed = (...which: readonly number[]) =>
  which.map((i) => {
    const loop = loops[i] as (typeof loops)[number];
    return { loop, tpotNs: tpotNs(loop, truth), weight: 1 };
  });
const errors = (logs: Float64Array) => loops.map((loop) => Math.abs(tpotNs(loop, logs) / tpotNs(loop, truth) - 1));
const meanError = (logs: Float64Array) => errors(logs).reduce((sum, error) => sum + error, 0) / loops.length;

describe("figures adjusted to observed points", () => {
  test("stay what they were without points, and with points that show what was forecast", () => {
    expect([...observeServing(base, [])]).toEqual([...base]);
    const own = loops.map((loop) => ({ loop, tpotNs: tpotNs(loop, base), weight: 1 }));
    for (const [index, log] of observeServing(base, own).entries()) expect(log).toBeCloseTo(base[index] ?? 0, 6);
  });

  test("nearly reproduce the point they were given, wherever it lies", () => {
    for (const i of loops.keys()) expect(errors(observeServing(base, observed(i)))[i]).toBeLessThan(0.03);
  });

  test("forecast the other loads better from one point, and better still from three", () => {
    const one = meanError(observeServing(base, observed(2)));
    const three = meanError(observeServing(base, observed(0, 2, 4)));
    expect(one).toBeLessThan(meanError(base) / 2);
    expect(three).toBeLessThan(one);
  });

  test("move nothing that no deployment factor covers", () => {
    const adjusted = observeServing(base, observed(0, 4));
    for (const name of ["attention", "latentAttention", "fp8Block"] as const)
      expect(adjusted[figureIndex[name]]).toBe(base[figureIndex[name]]);
  });

  test("follow a point of small weight less than the deployment's own", () => {
    const [point] = observed(2);
    if (point === undefined) throw new Error("no point");
    const light = errors(observeServing(base, [{ ...point, weight: 0.01 }]))[2] ?? 0;
    const full = errors(observeServing(base, [point]))[2] ?? 0;
    expect(light).toBeGreaterThan(full);
    expect(light).toBeLessThan(errors(base)[2] ?? 0);
  });

  test("stay finite and positive when a point is far from anything possible", () => {
    const [point] = observed(1);
    if (point === undefined) throw new Error("no point");
    for (const factor of [0.01, 100]) {
      const adjusted = observeServing(base, [{ ...point, tpotNs: factor * point.tpotNs }]);
      for (const log of adjusted) expect(Number.isFinite(Math.exp(log))).toBe(true);
      for (const loop of loops) expect(tpotNs(loop, adjusted)).toBeGreaterThan(0);
    }
  });

  test("move no figure by more than three standard deviations of its factors", () => {
    const [point] = observed(1);
    if (point === undefined) throw new Error("no point");
    for (const factor of [0.1, 10]) {
      const adjusted = observeServing(base, [{ ...point, tpotNs: factor * point.tpotNs }]);
      const moved = (name: FigureName) => Math.abs(adjusted[figureIndex[name]]! - base[figureIndex[name]]!);
      expect(moved("kernelExcess")).toBeLessThanOrEqual(3 * 0.3 + 1e-9);
      expect(moved("prefillExcess")).toBeLessThanOrEqual(3 * (0.3 + 0.25) + 1e-9);
      expect(moved("kernelOverheadNs")).toBeCloseTo(3 * 0.25, 6);
    }
  });
});
