import { describe, expect, test } from "vitest";
import { type ClosedLoop, closedLoopTpotNs } from "../../../src/calibrate/engine/closed-loop.ts";
import { fitServing, type ServingSample } from "../../../src/calibrate/engine/fit-serving.ts";
import {
  type FigureName,
  figureIndex,
  figureNames,
  figurePriors,
} from "../../../src/calibrate/engine/serving-figures.ts";
import { loopOf } from "./example-loops.ts";

const loops = [1, 4, 16, 64, 256].flatMap((concurrency) =>
  [256, 4096].map((promptTokens) => loopOf({ concurrency, promptTokens })),
);
const prior = Float64Array.from(figureNames, (name) => figurePriors[name].value);
const scaled = (factors: Partial<Record<FigureName, number>>) =>
  prior.map((value, index) => value * (factors[figureNames[index] as FigureName] ?? 1));

/** What an engine of the given figures shows on every loop; `weight` stands for as many repeats. */
const shown = (engine: string, figures: Float64Array, weight = 1): ServingSample[] =>
  loops.map((loop) => ({ loop, engine, version: "1", tpotNs: closedLoopTpotNs(loop, figures), weight }));

const worstError = (figures: Float64Array, truth: Float64Array, over: readonly ClosedLoop[] = loops) =>
  Math.max(...over.map((loop) => Math.abs(closedLoopTpotNs(loop, figures) / closedLoopTpotNs(loop, truth) - 1)));

describe("the fit of engines' figures to closed loops", () => {
  test("is the priors without samples", () => {
    const { common, engines } = fitServing([]);
    expect(engines.size).toBe(0);
    for (const [index, log] of common.entries()) expect(Math.exp(log)).toBeCloseTo(prior[index] ?? 0, 6);
  });

  test("leaves figures that no sample depends on at their priors", () => {
    const { common } = fitServing(shown("one", scaled({ kernelExcess: 1.2, stepOverheadNs: 2 })));
    for (const name of ["latentAttention", "linearAttention", "int4"] as const)
      expect(Math.exp(common[figureIndex[name]] ?? 0)).toBeCloseTo(figurePriors[name].value, 6);
  });

  test("recovers what known figures show, on loads it has seen and on one between them", () => {
    const truth = scaled({ stepOverheadNs: 1.8, kernelExcess: 1.1, sequenceOverheadNs: 0.6, prefillExcess: 1.2 });
    const fit = fitServing(shown("one", truth, 100)).engines.get("one") as Float64Array;
    expect(worstError(prior, truth)).toBeGreaterThan(0.08);
    expect(worstError(fit.map(Math.exp), truth)).toBeLessThan(0.01);
    expect(worstError(fit.map(Math.exp), truth, [loopOf({ concurrency: 32, promptTokens: 1024 })])).toBeLessThan(0.01);
  });

  test("tells a slow engine from a fast one, and puts the common figures between them", () => {
    const [fast, slow] = [scaled({ stepOverheadNs: 0.7 }), scaled({ stepOverheadNs: 1.6 })];
    const fit = fitServing([...shown("fast", fast, 30), ...shown("slow", slow, 30)]);
    const at = (logs: Float64Array | undefined) =>
      closedLoopTpotNs(loopOf({ concurrency: 1 }), (logs ?? prior).map(Math.exp));
    expect(at(fit.engines.get("fast"))).toBeLessThan(at(fit.common));
    expect(at(fit.common)).toBeLessThan(at(fit.engines.get("slow")));
    expect(worstError((fit.engines.get("slow") ?? prior).map(Math.exp), slow)).toBeLessThan(0.03);
  });

  test("is hardly moved by one sample that is four times too slow", () => {
    const truth = scaled({ kernelExcess: 1.1 });
    const clean = shown("one", truth, 10);
    const spoilt = clean.map((sample, i) => (i === 4 ? { ...sample, tpotNs: 4 * sample.tpotNs } : sample));
    const fit = fitServing(spoilt).engines.get("one") as Float64Array;
    const rest = loops.filter((_, i) => i !== 4);
    expect(worstError(fit.map(Math.exp), truth, rest)).toBeLessThan(0.12);
  });
});
