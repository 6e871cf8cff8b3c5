import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { RandomStream } from "../../../src/core/random.ts";
import { scaledBand } from "../../../src/forecast/bands/band.ts";
import {
  bandOf,
  calibratedShare,
  crossFittedCoverage,
  type Residual,
  relativeResiduals,
  setupScales,
} from "../../../src/validate/serving/residual-bands.ts";

const nominal = 0.8;

/** Normal residuals of setups with the given spreads, a few parts in each. */
function normalResiduals(seed: number, spreads: readonly number[], perSetup: number): Residual[] {
  const stream = new RandomStream(seed, "residuals");
  return spreads.flatMap((spread, g) =>
    Array.from({ length: perSetup }, (_, i) => ({
      setup: `setup ${g}`,
      part: `part ${g}.${i % 50}`,
      log: spread * stream.normal(),
    })),
  );
}

const share = ({ points, inside }: { points: number; inside: number }) => inside / points;

const residuals: fc.Arbitrary<Residual[]> = fc.array(
  fc.record({
    setup: fc.constantFrom("a", "b", "c"),
    part: fc.constantFrom("p", "q", "r", "s"),
    log: fc.integer({ min: -900, max: 900 }).map((n) => n / 1000),
  }),
  { minLength: 1, maxLength: 60 },
);

describe("the band of residuals", () => {
  test("is the 10 % and 90 % quantiles of measured / forecast", () => {
    const logs = Array.from({ length: 101 }, (_, i) => ({ setup: "g", part: "p", log: (i - 50) / 100 }));
    const [low, high] = bandOf(logs, nominal);
    expect(low).toBeCloseTo(Math.exp(-0.4), 12);
    expect(high).toBeCloseTo(Math.exp(0.4), 12);
  });

  test("holds the residuals it is made of, scaled by setup, to the nominal share", () => {
    const all = normalResiduals(1, [0.05, 0.3], 400);
    const scales = setupScales(all);
    const band = bandOf(relativeResiduals(all, all), nominal);
    const inside = all.filter(({ setup, log }) => {
      const [low, high] = scaledBand(band, scales.get(setup) ?? 1);
      return low <= Math.exp(log) && Math.exp(log) <= high;
    });
    expect(Math.abs(inside.length / all.length - nominal)).toBeLessThan(0.02);
  });

  test("does not depend on the order of residuals, nor do scales and coverage", () => {
    const shuffled = residuals.chain((list) =>
      fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length, maxLength: list.length })),
    );
    fc.assert(
      fc.property(shuffled, ([list, other]) => {
        expect(bandOf(other, nominal)).toEqual(bandOf(list, nominal));
        expect(Object.fromEntries(setupScales(other))).toEqual(Object.fromEntries(setupScales(list)));
        expect(crossFittedCoverage(other, nominal)).toEqual(crossFittedCoverage(list, nominal));
        const scaled = (rows: Residual[]) => bandOf(relativeResiduals(rows, rows), nominal);
        expect(scaled(other)).toEqual(scaled(list));
      }),
    );
  });

  test("grows by its scale in log space", () => {
    const [low, high] = scaledBand([0.8, 1.25], 2);
    expect(low).toBeCloseTo(0.64, 12);
    expect(high).toBeCloseTo(1.5625, 12);
  });
});

describe("the scale of a setup", () => {
  test("approaches its own median error relative to all as parts are added, not points", () => {
    // Errors of .1 and .3 in equal numbers: the median of all is .2.
    const of = (parts: number, points: number) =>
      setupScales(
        [0.1, -0.3].flatMap((log, g) =>
          Array.from({ length: parts * points }, (_, i) => ({ setup: `${g}`, part: `${g}.${i % parts}`, log })),
        ),
      );
    for (const points of [1, 50])
      for (const parts of [1, 4, 400]) {
        const shrunk = (own: number) => (parts * own + 5 * 0.2) / (parts + 5) / 0.2;
        expect(of(parts, points).get("0")).toBeCloseTo(shrunk(0.1), 9);
        expect(of(parts, points).get("1")).toBeCloseTo(shrunk(0.3), 9);
      }
    expect(of(400, 1).get("1")).toBeCloseTo(1.5, 1);
  });

  test("of a residual is not its own", () => {
    const quiet = Array.from({ length: 30 }, (_, i) => ({ setup: "g", part: `${i % 3}`, log: 0.1 }));
    const loud = { setup: "g", part: "loud", log: 9 };
    const at = (list: readonly Residual[]) => relativeResiduals([loud], list)[0]?.log;
    expect(at([...quiet, loud, loud])).toBeCloseTo(9, 12);
    expect(at([])).toBe(9);
  });

  test("is 1 where there is one setup", () => {
    fc.assert(
      fc.property(residuals, (list) => {
        const one = list.map((residual) => ({ ...residual, setup: "only" }));
        expect(setupScales(one).get("only") ?? 1).toBeCloseTo(1, 12);
      }),
    );
  });
});

describe("cross-fitted coverage", () => {
  test("is nominal on independent residuals, in each setup where they are relative to its scale", () => {
    const all = normalResiduals(2, [0.05, 0.1, 0.3], 500);
    const relative = relativeResiduals(all, all);
    const coverage = crossFittedCoverage(relative, nominal);
    expect(coverage.points).toBe(all.length);
    expect(Math.abs(share(coverage) - nominal)).toBeLessThan(0.02);
    const inSetup = (list: readonly Residual[], g: number) => {
      const [low, high] = bandOf(list, nominal).map(Math.log) as [number, number];
      const own = list.filter(({ setup }) => setup === `setup ${g}`);
      return own.filter(({ log }) => low <= log && log <= high).length / own.length;
    };
    for (const g of [0, 2]) {
      const off = (list: readonly Residual[]) => Math.abs(inSetup(list, g) - nominal);
      expect(off(relative)).toBeLessThan(0.1);
      expect(off(all)).toBeGreaterThan(0.15);
    }
  });

  test("falls where each part has an error of its own, which the others do not show", () => {
    const stream = new RandomStream(3, "parts");
    const biased = Array.from({ length: 6 }, (_, p) => 0.3 * (p - 2.5)).flatMap((bias, p) =>
      Array.from({ length: 100 }, () => ({ setup: `g${p}`, part: `p${p}`, log: bias + 0.01 * stream.normal() })),
    );
    const [low, high] = bandOf(biased, nominal).map(Math.log) as [number, number];
    const inSample = biased.filter(({ log }) => low <= log && log <= high).length / biased.length;
    expect(inSample).toBeCloseTo(nominal, 1);
    expect(share(crossFittedCoverage(biased, nominal))).toBeLessThan(inSample - 0.05);
  });

  test("of the calibrated share is as far below the nominal one as that share is above", () => {
    const stream = new RandomStream(6, "calibrated");
    const parts = Array.from({ length: 12 }, () => 0.2 * stream.normal()).flatMap((bias, p) =>
      Array.from({ length: 80 }, () => ({ setup: `g${p}`, part: `p${p}`, log: bias + 0.1 * stream.normal() })),
    );
    const raised = calibratedShare(parts, nominal);
    expect(raised).toBeGreaterThan(nominal);
    expect(Math.abs((raised + share(crossFittedCoverage(parts, raised))) / 2 - nominal)).toBeLessThan(0.01);
    // Independent residuals are nothing to be careful of.
    expect(calibratedShare(normalResiduals(7, [0.1], 4000), nominal)).toBeLessThan(nominal + 0.011);
  });

  test("judges nothing by itself", () => {
    const one = normalResiduals(4, [0.1], 10).map((residual) => ({ ...residual, part: "only" }));
    expect(crossFittedCoverage(one, nominal)).toEqual({ points: 0, inside: 0 });
  });
});
