import fc from "fast-check";
import { expect, test } from "vitest";
import { groupMeans, sparkline } from "../../../src/report/widgets/sparkline.ts";
import { drawn } from "../../drawn.ts";
import { ascii, unicode } from "./frames.ts";

const { heights } = unicode.glyphs;

test("the newest value stands at the right, fewer values than cells are not stretched", () => {
  expect(sparkline([0, 4, 8], 6, unicode)).toBe("   ▁▄█");
  expect(sparkline([8], 3, ascii)).toBe("  @");
});

test("more values than cells are the means of equal groups", () => {
  expect(sparkline([0, 8, 8, 8, 0, 0], 3, unicode)).toBe("▄█▁");
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 200 }),
      fc.integer({ min: 1, max: 40 }),
      (values, cells) => {
        const groups = Math.min(cells, values.length);
        const means = groupMeans(values, groups);
        const total = means.reduce((sum, mean, group) => {
          const size =
            Math.floor(((group + 1) * values.length) / groups) - Math.floor((group * values.length) / groups);
          expect(Math.abs(size - values.length / groups)).toBeLessThan(1);
          return sum + mean * size;
        }, 0);
        expect(total).toBeCloseTo(
          values.reduce((sum, value) => sum + value, 0),
          3,
        );
        const line = sparkline(values, cells, unicode, { max: 1e6 });
        const levels = Array.from(line.trimStart(), (sign) => heights.indexOf(sign));
        expect(levels).toEqual(means.map((mean) => Math.max(1, Math.round((mean / 1e6) * 8))));
      },
    ),
    { numRuns: drawn(200) },
  );
});

test("a gap is empty, and 0 is not", () => {
  expect(sparkline([8, Number.NaN, 0, Number.POSITIVE_INFINITY, 8], 5, unicode)).toBe("█ ▁ █");
  expect(sparkline([8, Number.NaN, 4], 2, unicode)).toBe("█▄");
  expect(sparkline([0, 0], 2, unicode)).toBe("▁▁");
  expect(sparkline([Number.NaN], 12, unicode)).toBe("no values   ");
});

test("a scale of its own makes lines comparable; what is beyond it is full", () => {
  expect(sparkline([1, 2, 40], 3, unicode, { max: 16 })).toBe("▁▁█");
  expect(sparkline([1e308, 1e308, 1e308, 1e308], 2, unicode)).toBe("██");
});
