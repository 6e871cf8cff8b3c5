import { describe, expect, test } from "vitest";
import { RandomStream } from "../../../src/core/random.ts";
import { type BandClass, bandClasses } from "../../../src/forecast/bands/error-band-table.ts";
import { fitErrorBands, type LeftOutErrors } from "../../../src/validate/serving/fit-error-bands.ts";
import type { PointError } from "../../../src/validate/serving/validation.ts";
import { pointError, pointMetric } from "../../calibrate/example-points.ts";

const stream = new RandomStream(5, "errors");
const systems = ["h100_sxm", "h200_sxm", "b200_sxm"];

/** Normal errors of deployments on three systems; TTFT errors are twice as large, those of saturated points absurd. */
function errorsOf(spread: number): PointError[] {
  return systems.flatMap((system) =>
    Array.from({ length: 300 }, (_, i) => {
      const off = Math.exp(spread * stream.normal());
      const saturated = i % 5 === 0;
      return pointError(
        { model: "openai/gpt-oss-120b", system, precision: "fp4", version: `0.${i % 10}`, line: i + 2 },
        {
          tpot: pointMetric(10 * off, 10),
          ttft: pointMetric(saturated ? 1e6 : 100 * off * off, 100),
          saturated,
        },
      );
    }),
  );
}

const spreads: Record<BandClass, number> = {
  validated: 0.1,
  setup: 0.2,
  system: 0.22,
  model: 0.25,
  engine: 0.25,
  several: 0.3,
  observed: 0.05,
  observedFar: 0.08,
};
const errors = Object.fromEntries(bandClasses.map((of) => [of, errorsOf(spreads[of])])) as unknown as LeftOutErrors;
const origin = { source: "a test", date: "2026-01-31", kernelsElsewhere: [0.8, 1.5] } as const;

describe("the table of error bands", () => {
  const { table, coverage } = fitErrorBands(errors, origin);

  test("has for each class the factors measured / forecast of its errors", () => {
    // 10 % and 90 % quantiles of a normal distribution lie 1.2816 deviations from its mean.
    for (const of of bandClasses) {
      const { tpot, ttft } = table.classes[of];
      const spread = spreads[of];
      expect(Math.abs(Math.log(tpot[0]) / spread + 1.2816)).toBeLessThan(0.25);
      expect(Math.abs(Math.log(tpot[1]) / spread - 1.2816)).toBeLessThan(0.25);
      expect(Math.abs(Math.log(ttft[1]) / (2 * spread) - 1.2816)).toBeLessThan(0.25);
    }
  });

  test("holds the nominal share of points that it was not made of, saturated TTFT aside", () => {
    for (const of of bandClasses) {
      const { tpot, ttft } = coverage[of];
      // All are of one model and one engine: without that part there is nothing to make a band of.
      const judged = of === "model" || of === "engine" ? 0 : 900;
      expect([of, tpot.points]).toEqual([of, judged]);
      expect(ttft.points).toBe(0.8 * judged);
      for (const { points, inside } of judged === 0 ? [] : [tpot, ttft])
        expect(Math.abs(inside / points - 0.8)).toBeLessThan(0.06);
    }
  });

  test("says how far the measurements went", () => {
    expect(table).toMatchObject({ devicesMax: 2, promptTokensMax: 1024, kernelsElsewhere: [0.8, 1.5] });
  });

  test("lists every setup by the ids of catalogue and profiles, with its median errors", () => {
    expect(table.setups.map(({ model, device, engine, points }) => [model, device, engine, points])).toEqual(
      ["b200-sxm", "h100-sxm", "h200-sxm"].map((device) => ["gpt-oss-120b", device, "vllm", 300]),
    );
    for (const { tpotMedianPercent, ttftMedianPercent } of table.setups) {
      // Half of a normal distribution lies within .6745 deviations of its mean.
      expect(Math.abs((tpotMedianPercent ?? 0) - 6.7)).toBeLessThan(1.5);
      expect(Math.abs((ttftMedianPercent ?? 0) - 13.5)).toBeLessThan(3);
    }
  });

  test("keeps three digits", () => {
    for (const band of Object.values(table.classes).flatMap(({ tpot, ttft }) => [...tpot, ...ttft]))
      expect(Number(band.toPrecision(3))).toBe(band);
  });

  test("does not depend on the order of the points", () => {
    const turned = Object.fromEntries(Object.entries(errors).map(([name, list]) => [name, [...list].reverse()]));
    expect(fitErrorBands(turned as unknown as LeftOutErrors, origin)).toEqual({ table, coverage });
  });

  test("refuses to be made of a few points", () => {
    expect(() => fitErrorBands({ ...errors, observed: errors.observed.slice(0, 9) }, origin)).toThrow(/observed tpot/);
  });
});
