import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { quantiles } from "../../../src/core/quantile.ts";
import { RandomStream } from "../../../src/core/random.ts";
import { studentT } from "../../../src/core/student-t.ts";
import { groupBand, groupInflation } from "../../../src/validate/serving/group-band.ts";
import type { Residual } from "../../../src/validate/serving/residual-bands.ts";

const nominal = 0.8;
const row = (part: string, log: number): Residual => ({ setup: part, part, log });

/** Normal residuals of parts that each have an error of their own. */
function twoLevels(seed: number, parts: number, each: number, between: number, within: number): Residual[] {
  const stream = new RandomStream(seed, "two levels");
  return Array.from({ length: parts }, (_, p) => {
    const own = between * stream.normal();
    return Array.from({ length: each }, () => row(`p${p}`, own + within * stream.normal()));
  }).flat();
}

const residuals: fc.Arbitrary<Residual[]> = fc.array(
  fc.record({
    setup: fc.constantFrom("a", "b"),
    part: fc.constantFrom("p", "q", "r", "s"),
    log: fc.integer({ min: -900, max: 900 }).map((n) => n / 1000),
  }),
  { minLength: 1, maxLength: 60 },
);

describe("the band for a part that is yet to be seen", () => {
  test("of one part is the quantiles of its residuals", () => {
    const logs = Array.from({ length: 101 }, (_, i) => row("p", (i - 50) / 100));
    const [low, high] = groupBand(logs, nominal);
    expect(low).toBeCloseTo(Math.exp(-0.4), 12);
    expect(high).toBeCloseTo(Math.exp(0.4), 12);
  });

  test("holds the forecast, whatever the residuals, in any order", () => {
    fc.assert(
      fc.property(residuals, (list) => {
        const [low, high] = groupBand(list, nominal);
        expect(low <= 1 && 1 <= high).toBe(true);
        expect(groupBand([...list].reverse(), nominal)).toEqual([low, high]);
        expect(groupInflation(list, nominal)).toBeGreaterThanOrEqual(1);
      }),
    );
  });

  test("is as wide as a prediction interval where parts differ and hardly scatter", () => {
    const three = ["a", "b", "c"].flatMap((part, i) => Array.from({ length: 50 }, () => row(part, i - 1)));
    const t = studentT(2, nominal) / studentT(149, nominal);
    expect(groupInflation(three, nominal)).toBeCloseTo(t * Math.sqrt((1 + 1 / 3) / (1 - 1 / 3)), 6);
  });

  test("is no wider than the quantiles where residuals of a part are no more alike than others", () => {
    const independent = twoLevels(1, 20, 60, 0, 0.2);
    expect(groupInflation(independent, nominal)).toBeLessThan(1.01);
  });

  test("holds the nominal share of the next part on average, from few parts as from many", () => {
    for (const [parts, between] of [
      [3, 0.1],
      [3, 0.2],
      [6, 0.2],
      [20, 0.2],
    ] as const) {
      let inside = 0;
      let plain = 0;
      let points = 0;
      for (let seed = 1; seed <= 120; seed++) {
        const all = twoLevels(seed, parts + 1, 12, between, 0.15);
        const seen = all.filter(({ part }) => part !== "p0");
        const next = all.filter(({ part }) => part === "p0");
        const [low, high] = groupBand(seen, nominal).map(Math.log) as [number, number];
        const [from = 0, to = 0] = quantiles(
          Float64Array.from(seen, ({ log }) => log),
          [0.1, 0.9],
        );
        inside += next.filter(({ log }) => low <= log && log <= high).length;
        plain += next.filter(({ log }) => from <= log && log <= to).length;
        points += next.length;
      }
      expect(Math.abs(inside / points - nominal)).toBeLessThan(0.06);
      if (parts === 3) expect(plain / points).toBeLessThan(0.73);
    }
  });
});
