import { describe, expect, test } from "vitest";
import type { ServingPoint } from "../../../src/calibrate/measured/serving-point.ts";
import { engineNamed } from "../../../src/engine/catalogue.ts";
import type { EngineProfile } from "../../../src/engine/engine-profile.ts";
import { type ServingValidationOptions, validateServing } from "../../../src/validate/serving/validate-serving.ts";
import type { Validation } from "../../../src/validate/serving/validation.ts";
import { measuredOn, smallPoint } from "../../calibrate/simulated-points.ts";

const validate = (points: readonly ServingPoint[], options: Partial<ServingValidationOptions> = {}) =>
  validateServing(points, { leaveOut: null, observed: [], inputs: [], ...options });

const median = ({ overall }: Validation) => overall.tpot.medianAbsolutePercent ?? Number.NaN;

const committed = engineNamed("vllm", smallPoint().version);
const truth: EngineProfile = {
  ...committed,
  kernelExcess: 1.15 * committed.kernelExcess,
  prefillExcess: 1.15 * committed.prefillExcess,
  kernelOverheadNs: 1.4 * committed.kernelOverheadNs,
  stepOverheadNs: 1.4 * committed.stepOverheadNs,
};

const loads = [1, 4, 16].flatMap((concurrency) =>
  [32, 256].map((promptTokens) => smallPoint({ concurrency, promptTokens })),
);
const oss = { model: "openai/gpt-oss-120b", precision: "fp4", system: "h200_sxm" };
const engines = [...loads, smallPoint(oss), smallPoint({ engine: "sglang", version: "0.5.9" })];

describe("the validation of measured points", () => {
  test("finds no error in a table that the committed profiles made", async () => {
    const table = measuredOn(engines);
    const validation = await validate(table);
    expect(validation.points.map(({ point }) => point)).toEqual(table);
    expect(validation.skipped).toEqual([]);
    for (const { tpot, ttft } of validation.points) {
      expect(tpot?.errorPercent).toBe(0);
      expect(ttft?.errorPercent).toBe(0);
    }
    expect(validation.overall).toMatchObject({ points: table.length, tpot: { biasPercent: 0 } });
    expect(validation.basis).toBe("committed profiles");
  });

  test("finds the error in a table that another engine made, and much of it gone once points are observed", async () => {
    const table = measuredOn(loads, truth);
    const blind = await validate(table);
    const given = await validate(table, { observed: table.slice(2, 4) });
    expect(blind.overall.tpot.biasPercent).toBeLessThan(-10);
    expect(median(given)).toBeLessThan(0.7 * median(blind));
    expect(given.points.map(({ point }) => point)).toEqual([...table.slice(0, 2), ...table.slice(4)]);
    expect(given.basis).toBe("committed profiles adjusted to 2 observed points");
  });

  test("by point gives one point of each series, with its repeats, and does not judge it", async () => {
    const table = measuredOn(loads, truth);
    const repeats = table.filter(({ concurrency }) => concurrency === 4).map((point) => ({ ...point, tpotMs: 30 }));
    const blind = await validate(table);
    const { points, overall } = await validate([...table, ...repeats], { leaveOut: "point" });
    expect(points.map(({ point }) => point)).toEqual(table.filter(({ concurrency }) => concurrency !== 4));
    expect(overall.tpot.medianAbsolutePercent).toBeLessThan(0.7 * median(blind));
  });

  test("by setup forecasts a setup without its own measured values", async () => {
    const table = measuredOn(engines, truth);
    const isOss = ({ model }: ServingPoint) => model === oss.model;
    const changed = table.map((point) => (isOss(point) ? { ...point, tpotMs: 3 * (point.tpotMs ?? 0) } : point));
    const [first, second] = await Promise.all([
      validate(table, { leaveOut: "setup" }),
      validate(changed, { leaveOut: "setup" }),
    ]);
    const forecasts = ({ points }: Validation, own: boolean) =>
      points
        .filter(({ point }) => isOss(point) === own)
        .map(({ tpot, ttft }) => [tpot?.predictedMs, ttft?.predictedMs]);
    expect(forecasts(first, true)).toHaveLength(1);
    expect(forecasts(second, true)).toEqual(forecasts(first, true));
    expect(forecasts(second, false)).not.toEqual(forecasts(first, false));
    expect(first.basis).toBe("engines fitted without the setup that is forecast");
  });

  test("passes over unknown names, broken mappings and what does not fit, with the reason", async () => {
    const [fine] = measuredOn([smallPoint()]);
    if (fine === undefined) throw new Error("no point");
    const strange = { ...fine, model: "toy/Moe" };
    const broken = { ...fine, ep: 8 };
    const large = { ...fine, model: "deepseek-ai/DeepSeek-V3", system: "h200_sxm" };
    const { points, skipped } = await validate([strange, fine, broken, large]);
    expect(points.map(({ point }) => point)).toEqual([fine]);
    expect(skipped.map(({ point }) => point)).toEqual([strange, broken, large]);
    const [name, mapping, fit] = skipped.map(({ reason }) => reason);
    expect(name).toBe("unknown model toy/Moe");
    expect(mapping).toContain("expected");
    expect(fit).toMatch(/^DeepSeek-V3 does not fit: .* available/);
    expect(fit).not.toContain("\n");
  });

  test("keeps points without one of the metrics for the other", async () => {
    const [point] = measuredOn([smallPoint()]);
    if (point === undefined) throw new Error("no point");
    const { points, overall } = await validate([
      { ...point, ttftMs: null },
      { ...point, tpotMs: null, line: 3 },
    ]);
    expect(points.map(({ tpot, ttft }) => [tpot?.errorPercent ?? null, ttft?.errorPercent ?? null])).toEqual([
      [0, null],
      [null, 0],
    ]);
    expect([overall.points, overall.tpot.points, overall.ttft.points]).toEqual([2, 1, 1]);
  });

  test("marks points whose measured TTFT is queueing, and counts their TTFT apart", async () => {
    const [point] = measuredOn([smallPoint()]);
    if (point === undefined) throw new Error("no point");
    const { points, overall } = await validate([point, { ...point, ttftMs: 5001, line: 3 }]);
    expect(points.map(({ saturated }) => saturated)).toEqual([false, true]);
    expect([overall.ttft.points, overall.ttftUnsaturated.points]).toEqual([2, 1]);
    expect(overall.ttftUnsaturated.meanAbsolutePercent).toBe(0);
  });

  test("says of each point what its steps are spent on", async () => {
    const { points } = await validate(measuredOn([smallPoint()]));
    expect(points[0]?.reason).toMatch(/^[a-zA-Z]+ is \d+% of step time$/);
  });

  test("gives the same bytes twice", async () => {
    const table = measuredOn(engines.slice(3), truth);
    for (const leaveOut of [null, "point", "setup"] as const) {
      const [first, second] = [await validate(table, { leaveOut }), await validate(table, { leaveOut })];
      expect(JSON.stringify(second)).toBe(JSON.stringify(first));
    }
  });

  test("tells how far it is, and keeps what it has when it is stopped", async () => {
    const table = measuredOn(loads);
    const stop = new AbortController();
    const steps: (readonly [number, number])[] = [];
    const { points, basis } = await validate(table, {
      signal: stop.signal,
      onProgress: (done, total) => {
        steps.push([done, total]);
        if (done === 2) stop.abort();
      },
    });
    expect(basis).toMatch(/; interrupted after 2 of \d+ points$/);
    expect(steps).toEqual([
      [1, table.length],
      [2, table.length],
    ]);
    expect(points.map(({ point }) => point)).toEqual(table.slice(0, 2));
  });
});
