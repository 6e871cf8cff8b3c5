import fc from "fast-check";
import { expect, test } from "vitest";
import { wholeParts } from "../../src/core/whole-parts.ts";

const sum = (values: ArrayLike<number>) => Array.from(values).reduce((total, value) => total + value, 0);

test("whole parts are the whole, none negative, each within one of its share, and nothing where there was nothing", () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.constant(0), fc.double({ min: 0, max: 1e12, noNaN: true })), {
        minLength: 1,
        maxLength: 20,
      }),
      fc.integer({ min: 0, max: 1e12 }),
      (parts, total) => {
        const whole = wholeParts(parts, total);
        expect(sum(whole)).toBe(total);
        const exact = sum(parts);
        for (const [i, part] of whole.entries()) {
          expect(Number.isInteger(part) && part >= 0).toBe(true);
          if (exact === 0) continue;
          if (parts[i] === 0) expect(part).toBe(0);
          expect(Math.abs(part - (total * parts[i]!) / exact)).toBeLessThanOrEqual(1 + 1e-9 * total);
        }
      },
    ),
  );
});

test("what is negative by rounding counts as none, and a whole without parts goes where it is told", () => {
  expect([...wholeParts([-1e-9, 3, 1], 8)]).toEqual([0, 6, 2]);
  expect([...wholeParts([0, -1e-9, 0], 5, 2)]).toEqual([0, 0, 5]);
  expect([...wholeParts([], 5)]).toEqual([]);
});
