import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { normalCdf, normalQuantile } from "../../../src/core/normal.ts";
import { chanceOf } from "../../../src/plan/answer/chances.ts";

const levels = [0.05, 0.25, 0.5, 0.75, 0.95];
const zs = levels.map(normalQuantile);

describe("a chance", () => {
  test("is that of the normal distribution where the distance to the limit is lognormal", () => {
    const middles = fc.double({ min: -1, max: 1, noNaN: true });
    const sigmas = fc.double({ min: 0.05, max: 1, noNaN: true });
    fc.assert(
      fc.property(middles, sigmas, (middle, sigma) => {
        const { chance, z } = chanceOf(
          zs,
          zs.map((at) => Math.exp(middle + sigma * at)),
        );
        const exact = -middle / sigma;
        if (exact <= zs[0]!) expect([chance, z]).toEqual([0.05, null]);
        else if (exact > zs.at(-1)!) expect([chance, z]).toEqual([0.95, null]);
        else expect(chance).toBeCloseTo(normalCdf(exact), 6);
      }),
    );
  });

  test("falls where everything is nearer to its limit", () => {
    const strains = fc.array(fc.double({ min: 0, max: 3, noNaN: true }), { minLength: 5, maxLength: 5 });
    fc.assert(
      fc.property(strains, fc.double({ min: 1, max: 3, noNaN: true }), (drawn, factor) => {
        const sorted = drawn.toSorted((a, b) => a - b);
        const before = chanceOf(zs, sorted).chance;
        const after = chanceOf(
          zs,
          sorted.map((strain) => strain * factor),
        ).chance;
        expect(after).toBeLessThanOrEqual(before + 1e-9);
        expect(after).toBeGreaterThanOrEqual(0.05);
        expect(before).toBeLessThanOrEqual(0.95);
      }),
    );
  });

  test("ends at what was run", () => {
    expect(chanceOf(zs, [0, 0, 0, 0, Number.POSITIVE_INFINITY]).chance).toBeCloseTo(0.75, 6);
    expect(chanceOf(zs, [2, 2, 2, 2, 2])).toEqual({ chance: 0.05, z: null });
    expect(chanceOf(zs, [1, 1, 1, 1, 1])).toEqual({ chance: 0.95, z: null });
  });
});
