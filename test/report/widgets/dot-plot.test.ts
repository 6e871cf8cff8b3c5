import fc from "fast-check";
import { expect, test } from "vitest";
import { formatNumber } from "../../../src/core/units.ts";
import { dotPlot } from "../../../src/report/widgets/dot-plot.ts";
import { drawn } from "../../drawn.ts";
import { ascii, frame, unicode } from "./frames.ts";

const bare = {
  xLabel: "tokens/s of a user",
  yLabel: "tokens/s of a device",
  formatX: (value: number) => formatNumber(value),
  formatY: (value: number) => formatNumber(value),
};
const points = fc.array(
  fc.tuple(fc.double({ min: 0, max: 1000, noNaN: true }), fc.double({ min: 0, max: 1000, noNaN: true })),
  { minLength: 1, maxLength: 60 },
);
const series = (name: string, at: readonly (readonly [number, number])[], sign: string | null) => ({
  name,
  x: at.map(([x]) => x),
  y: at.map(([, y]) => y),
  sign,
});
/** The plotted cells, without title, axes and legend. */
const area = (lines: readonly string[]) => lines.slice(1, -3).map((line) => line.replace(/^[^|+│┤]*[|+│┤]/u, ""));
const dotsIn = (lines: readonly string[]) =>
  area(lines)
    .flatMap((line) => [...line])
    .reduce((sum, sign) => {
      const bits = sign.codePointAt(0)! - 0x2800;
      return sum + (bits > 0 && bits < 256 ? bits.toString(2).replaceAll("0", "").length : 0);
    }, 0);

test("every point is a dot, and dots are no more than points", () => {
  fc.assert(
    fc.property(points, (at) => {
      const count = dotsIn(dotPlot({ ...bare, series: [series("all", at, null)] }, { width: 80, height: 24 }, unicode));
      expect(count).toBeGreaterThan(0);
      expect(count).toBeLessThanOrEqual(at.length);
    }),
    { numRuns: drawn(100) },
  );
});

test("the signs of the last series are seen, whatever lies below them", () => {
  fc.assert(
    fc.property(points, fc.constantFrom(ascii, unicode), (at, palette) => {
      const plot = { ...bare, series: [series("all", at, null), series("chosen", at.slice(0, 1), "@")] };
      const cells = area(dotPlot(plot, { width: 60, height: 16 }, palette)).join("");
      expect(cells.split("@")).toHaveLength(2);
    }),
    { numRuns: drawn(100) },
  );
});

test("a point is further right and higher where its values are larger", () => {
  const place = (x: number, y: number) => {
    const at = [
      [100, 100],
      [0, 0],
    ] as const;
    const plot = { ...bare, series: [series("ends", at, null), series("one", [[x, y]], "@")] };
    const lines = area(dotPlot(plot, { width: 64, height: 20 }, ascii));
    const row = lines.findIndex((line) => line.includes("@"));
    return { row, column: lines[row]!.indexOf("@") };
  };
  fc.assert(
    fc.property(fc.nat(100), fc.nat(100), fc.nat(100), fc.nat(100), (x1, y1, x2, y2) => {
      const [a, b] = [place(x1, y1), place(x2, y2)];
      if (x1 <= x2) expect(a.column).toBeLessThanOrEqual(b.column);
      if (y1 <= y2) expect(a.row).toBeGreaterThanOrEqual(b.row);
    }),
    { numRuns: drawn(100) },
  );
  expect(place(0, 0)).toEqual({ row: 15, column: 0 });
  expect(place(100, 100).row).toBe(0);
});

test("what is no number, or below 0, is no point", () => {
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, -1]) {
    const plot = {
      ...bare,
      series: [
        series(
          "bad",
          [
            [bad, 1],
            [1, bad],
          ],
          null,
        ),
      ],
    };
    expect(dotPlot(plot, { width: 40, height: 10 }, ascii)).toEqual(["no points to plot"]);
  }
});

test("golden frames", () => {
  const curve = Array.from({ length: 40 }, (_, i) => [10 + i, 900 / (1 + i / 8)] as const);
  const plot = {
    ...bare,
    series: [
      series("others", curve, null),
      series("meets the SLOs", curve.slice(8, 12), "o"),
      series("chosen", [curve[20]!], "@"),
    ],
  };
  expect(frame(dotPlot(plot, { width: 60, height: 14 }, ascii))).toMatchInlineSnapshot(`
    "
    tokens/s of a device
    1,000 +
          |           .
          |            .
          |             ..
          |               ...
      500 +                  .ooo
          |                      o... ...
          |                              ..@.......... .....
          |                                                 ....
        0 +
          ++----------+---------+----------+---------+----------
           0          10        20         30        40
    . others  o meets the SLOs  @ chosen      tokens/s of a user
    "
  `);
  expect(frame(dotPlot(plot, { width: 40, height: 9 }, unicode))).toMatchInlineSnapshot(`
    "
    tokens/s of a device
    1,000 ┤      ⠠
          │       ⠈⢂
          │         ⠈⠑⠠oo
          │              o⠈⠒⠂⠤⠄@⠄⣀⡀⣀⡀⣀⡀
        0 ┤                            ⠉⠁⠉⠁⠉
          └┬─────┬──────┬──────┬─────┬──────
           0     10     20     30    40
    · others  o meets the SLOs  @ chosen
    "
  `);
});
