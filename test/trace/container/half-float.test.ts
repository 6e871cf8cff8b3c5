import fc from "fast-check";
import { expect, test } from "vitest";
import { fromHalf, toHalf } from "../../../src/trace/container/half-float.ts";

const finite = Array.from({ length: 0x10000 }, (_value, half) => half).filter((half) => (half & 0x7c00) !== 0x7c00);

test("every half survives the way through a number", () => {
  expect(finite.filter((half) => toHalf(fromHalf(half)) !== half)).toEqual([]);
  for (const half of [0x7c00, 0xfc00]) expect(toHalf(fromHalf(half))).toBe(half);
  expect(fromHalf(0x7e00)).toBeNaN();
  expect(fromHalf(toHalf(Number.NaN))).toBeNaN();
});

test("known values have the bits of the standard", () => {
  expect([0, -0, 1, -2, 65504, 0.333251953125].map(toHalf)).toEqual([0, 0x8000, 0x3c00, 0xc000, 0x7bff, 0x3555]);
  expect(fromHalf(0x0001)).toBe(1 / 16_777_216);
});

test("a number becomes the nearest half, of two equally near ones the even", () => {
  const values = finite.filter((half) => half < 0x8000).map((half) => ({ half, value: fromHalf(half) }));
  fc.assert(
    fc.property(fc.double({ min: 0, max: 65519, noNaN: true }), (x) => {
      const distance = (half: number) => Math.abs(fromHalf(half) - x);
      const found = toHalf(x);
      for (const other of [found - 1, found + 1].filter((half) => half >= 0 && half < 0x7c00)) {
        expect(distance(found)).toBeLessThanOrEqual(distance(other));
        if (distance(found) === distance(other)) expect(found % 2).toBe(0);
      }
    }),
  );
  const ties = values.slice(0, -1).map(({ value }, i) => (value + (values[i + 1]?.value ?? 0)) / 2);
  expect(ties.filter((tie) => toHalf(tie) % 2 !== 0)).toEqual([]);
});

test("what is too large for a half becomes infinite", () => {
  expect([65520, 1e9, -1e9].map((x) => fromHalf(toHalf(x)))).toEqual([
    Number.POSITIVE_INFINITY,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
  ]);
});
