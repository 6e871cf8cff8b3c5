import fc from "fast-check";
import { expect, test } from "vitest";
import { formatBytes } from "../../../src/core/units.ts";
import { stackedBar } from "../../../src/report/widgets/levels.ts";
import { drawn } from "../../drawn.ts";
import { ascii, frame, unicode } from "./frames.ts";

const gib = 2 ** 30;
const memory = (weights: number, cache: number) => ({
  parts: [
    { name: "weights", amount: weights * gib },
    { name: "KV", amount: 40 * gib },
    { name: "cache", amount: cache * gib },
  ],
  total: 141 * gib,
  format: formatBytes,
});
const signs = ["#", "=", "+", "-", "o", "x"];

test("parts take the cells of their shares, one at least, and together fill the line", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 1000 }), { minLength: 1, maxLength: 6 }),
      fc.nat(1000),
      fc.integer({ min: 8, max: 100 }),
      (amounts, left, width) => {
        const used = amounts.reduce((sum, amount) => sum + amount, 0);
        fc.pre(used > 0);
        const total = used + left;
        const [bar = ""] = stackedBar(
          { parts: amounts.map((amount, i) => ({ name: `${i}`, amount })), total, format: String },
          width,
          ascii,
        );
        expect(bar).toHaveLength(width);
        for (const [i, amount] of amounts.entries()) {
          const cells = bar.split(signs[i]!).length - 1;
          if (amount === 0) expect(cells).toBe(0);
          else expect(cells).toBeGreaterThanOrEqual(1);
          // One cell by rounding, and one for every part that was given its only cell.
          expect(Math.abs(cells - (amount / total) * width)).toBeLessThanOrEqual(1 + amounts.length);
        }
        expect(bar.includes(".")).toBe(left > 0);
      },
    ),
    { numRuns: drawn(200) },
  );
});

test("names stand with amounts and shares of the total, the rest too", () => {
  const text = stackedBar(memory(70, 3), 200, ascii).join("\n");
  for (const item of [
    "# weights 70 GiB (49.6%)",
    "= KV 40 GiB (28.4%)",
    "+ cache 3 GiB (2.1%)",
    ". rest 28 GiB (19.9%)",
  ])
    expect(text).toContain(item);
});

test("parts beyond the total are said to be so", () => {
  const text = stackedBar(memory(120, 3), 200, ascii).join("\n");
  expect(text).toContain("x over 141 GiB by 22 GiB (15.6%)");
  expect(text.split("\n")[0]).not.toContain(".");
});

test("what is no amount has no cells and no number", () => {
  const parts = [
    { name: "weights", amount: Number.NaN },
    { name: "KV", amount: 5 },
  ];
  const [bar, ...legend] = stackedBar({ parts, total: 10, format: String }, 40, ascii);
  expect(bar).toBe("=".repeat(20) + ".".repeat(20));
  expect(legend.join(" ")).toContain("# weights n/a");
  expect(stackedBar({ parts, total: Number.NaN, format: String }, 40, ascii)[0]).toBe("=".repeat(40));
});

test("golden frames", () => {
  expect(frame(stackedBar(memory(70, 0.3), 76, ascii))).toMatchInlineSnapshot(`
    "
    #####################################=====================+.................
    # weights 70 GiB (49.6%)  = KV 40 GiB (28.4%)  + cache 307 MiB (0.2%)
    . rest 30.7 GiB (21.8%)
    "
  `);
  expect(frame(stackedBar(memory(120, 3), 40, unicode))).toMatchInlineSnapshot(`
    "
    █████████████████████████████▒▒▒▒▒▒▒▒▒▒▓
    █ weights 120 GiB (85.1%)
    ▒ KV 40 GiB (28.4%)
    ▓ cache 3 GiB (2.1%)
    ✗ over 141 GiB by 22 GiB (15.6%)
    "
  `);
});
