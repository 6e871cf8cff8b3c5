import { describe, expect, test } from "vitest";
import { RandomStream } from "../../../src/core/random.ts";
import {
  classBand,
  inScale,
  nestedBands,
  nestedCoverage,
  residualsOf,
} from "../../../src/validate/serving/class-bands.ts";
import { groupBand } from "../../../src/validate/serving/group-band.ts";
import type { PointError } from "../../../src/validate/serving/validation.ts";
import { withNestedBands } from "../../../src/validate/serving/with-nested-bands.ts";
import { pointError, pointMetric } from "../../calibrate/example-points.ts";

const nominal = 0.8;
const models = ["openai/gpt-oss-120b", "moonshotai/Kimi-K2.5", "zhipuai/GLM-5", "deepseek-ai/DeepSeek-R1"];
const systems = ["h100_sxm", "h200_sxm", "b200_sxm"];

/** Twelve setups of which every model has an error of its own. */
const errors: PointError[] = models.flatMap((model, m) => {
  const stream = new RandomStream(m + 1, "errors");
  return systems.flatMap((system) =>
    Array.from({ length: 8 }, (_, i) => {
      const off = Math.exp(0.15 * (m - 1.5) + 0.1 * stream.normal());
      const parts = { tpot: pointMetric(10 * off, 10), ttft: pointMetric(100, 100 / off), saturated: i === 0 };
      return pointError({ model, system, precision: "fp4", line: i + 2 }, parts);
    }),
  );
});

const residuals = {
  setup: residualsOf(errors, "setup", "tpot"),
  model: residualsOf(errors, "model", "tpot"),
};

describe("nested bands", () => {
  test("cover what a plain count with a band made anew for each model says", () => {
    let inside = 0;
    const shares = models.map((model) => {
      const others = errors.filter(({ point }) => point.model !== model);
      const of = (partOf: (error: PointError) => string) =>
        groupBand(
          others.map((error) => ({
            setup: "",
            part: partOf(error),
            log: Math.log((error.tpot?.measuredMs ?? 0) / (error.tpot?.predictedMs ?? 0)),
          })),
          nominal,
        );
      const bands = [of(({ point }) => point.model), of(({ point }) => `${point.model} ${point.system}`)];
      const [low, high] = [Math.min(...bands.map(([end]) => end)), Math.max(...bands.map(([, end]) => end))];
      const own = errors.filter(({ point }) => point.model === model);
      const held = own.filter(({ tpot }) => {
        const ratio = (tpot?.measuredMs ?? 0) / (tpot?.predictedMs ?? 1);
        return low <= ratio && ratio <= high;
      }).length;
      inside += held;
      return held / own.length;
    });
    const coverage = nestedCoverage("model", residuals, nominal);
    expect(coverage).toMatchObject({ points: errors.length, inside, parts: 4 });
    expect(coverage.meanOfParts).toBeCloseTo(shares.reduce((sum, share) => sum + share, 0) / 4, 12);
  });

  test("have not seen their part: its measurements change every band but its own", () => {
    const worse = residuals.model.map((residual) =>
      residual.point.model === models[0] ? { ...residual, log: residual.log + 2 } : residual,
    );
    const [before, after] = [residuals.model, worse].map((own) => nestedBands("model", { model: own }, nominal));
    for (const [i, { point }] of residuals.model.entries())
      if (point.model === models[0]) expect(after?.[i]).toEqual(before?.[i]);
      else expect(after?.[i]).not.toEqual(before?.[i]);
  });

  test("of a class lie around those of nearer classes", () => {
    const narrow = residuals.model.map((residual) => ({ ...residual, log: residual.log / 10 }));
    expect(classBand("model", { ...residuals, model: narrow }, nominal)).toEqual(groupBand(residuals.setup, nominal));
    expect(classBand("model", { model: narrow }, nominal)).toEqual(groupBand(narrow, nominal));
  });

  test("are as wide as the errors of their setup in classes that know it, and in no other", () => {
    const loud = errors.map((error, i) =>
      error.point.model === models[1]
        ? error
        : { ...error, tpot: pointMetric(10 * Math.exp(i % 2 ? 0.01 : -0.01), 10) },
    );
    const versions = loud.map((error, i) => ({ ...error, point: { ...error.point, version: `0.${i % 4}` } }));
    const plain = residualsOf(versions, "validated", "tpot");
    const scales = inScale("validated", plain, plain).map(({ scale }) => scale);
    const of = (model: string | undefined) =>
      scales.filter((_, i) => versions[i]?.point.model === model).reduce((sum, scale) => sum + scale, 0);
    expect(of(models[1])).toBeGreaterThan(of(models[0]));
    expect(inScale("model", plain, plain)).toEqual(plain);
  });

  test("leave out a TTFT of queueing, and names that are not known", () => {
    expect(residualsOf(errors, "model", "ttft")).toHaveLength(errors.length - 12);
    expect(residualsOf([pointError({ model: "toy/unheard-of" })], "model", "tpot")).toEqual([]);
  });
});

test("a validation with something left out has nested bands, and those of its class where too little is left", () => {
  const banded = withNestedBands(errors, "model");
  const bands = nestedBands("model", { model: residuals.model }, nominal);
  for (const [i, { tpot }] of banded.entries()) expect(tpot?.highMs).toBeCloseTo(10 * (bands[i]?.[1] ?? 0), 12);
  const few = errors.filter(({ point }) => point.model === models[0]).slice(0, 9);
  expect(withNestedBands(few, "model")).toEqual(few);
});
