import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InvalidInputError } from "../../src/core/errors.ts";
import { acceptanceCurveNamed, acceptanceCurveNames } from "../../src/models/acceptance-curves.ts";
import { conditionalAcceptance } from "../../src/models/acceptance-probabilities.ts";

/** Mean tokens per verification, by definition: one, and the sum of the probabilities that a token and all before it hold. */
const lengthOf = (conditional: Float64Array) =>
  1 +
  conditional.reduce(([sum, product], p) => [sum + product * p, product * p] as [number, number], [0, 1] as [
    number,
    number,
  ])[0];

const curveOf = (lengths: readonly number[]) => ({ method: "MTP" as const, model: "test", lengths });

describe("probabilities of a published curve", () => {
  test.each(acceptanceCurveNames)("%s: give its length at every number of draft tokens", (name) => {
    const curve = acceptanceCurveNamed(name);
    expect(curve.lengths).toHaveLength(8);
    for (const [i, length] of curve.lengths.entries()) {
      const conditional = conditionalAcceptance(curve, i + 1);
      expect(conditional).toHaveLength(i + 1);
      expect(conditional.every((p) => p >= 0 && p <= 1)).toBe(true);
      expect(lengthOf(conditional)).toBeCloseTo(length, 10);
    }
  });

  test("are its increments where these fall", () => {
    const conditional = conditionalAcceptance(curveOf([1.9, 2.62, 3.052]), 3);
    expect([...conditional].map((p) => Math.round(p * 1e9) / 1e9)).toEqual([0.9, 0.8, 0.6]);
    // A shorter draft has the same beginning.
    expect(conditionalAcceptance(curveOf([1.9, 2.62, 3.052]), 2)[1]).toBeCloseTo(0.8, 12);
  });

  test("pool increments that rise, and scale all down where the curve dips", () => {
    // Increments .5, .1, .3: the last two become .2 each.
    expect([...conditionalAcceptance(curveOf([1.5, 1.6, 1.9]), 3)]).toEqual([
      expect.closeTo(0.5, 12),
      expect.closeTo(0.4, 12),
      expect.closeTo(1, 12),
    ]);
    // Increments .8, .4, -.2: the last becomes 0, and the others keep 1.0 of their 1.2.
    expect([...conditionalAcceptance(curveOf([1.8, 2.2, 2]), 3)]).toEqual([
      expect.closeTo(0.8 / 1.2, 12),
      expect.closeTo(0.5, 12),
      0,
    ]);
  });

  test("are probabilities that give the length of any curve of means", () => {
    const increments = fc.array(fc.double({ min: -0.3, max: 1, noNaN: true }), { minLength: 1, maxLength: 9 });
    fc.assert(
      fc.property(increments, (steps) => {
        let length = 1;
        const lengths = steps.map((step) => {
          length = Math.max(1, length + step);
          return length;
        });
        const conditional = conditionalAcceptance(curveOf(lengths), steps.length);
        expect(conditional.every((p) => p >= 0 && p <= 1)).toBe(true);
        expect(lengthOf(conditional)).toBeCloseTo(length, 9);
      }),
    );
  });
});

test("a curve that does not exist is refused with the nearest name", () => {
  const problems = () => {
    try {
      acceptanceCurveNamed("qwen3.5-mpt");
      return [];
    } catch (error) {
      return error instanceof InvalidInputError ? error.problems : [];
    }
  };
  expect(problems()).toMatchObject([{ found: "qwen3.5-mpt", hint: "did you mean qwen3.5-mtp?" }]);
});
