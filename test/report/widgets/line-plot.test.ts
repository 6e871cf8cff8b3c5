import fc from "fast-check";
import { expect, test } from "vitest";
import { formatCount, formatDuration, formatNumber } from "../../../src/core/units.ts";
import { linePlot } from "../../../src/report/widgets/line-plot.ts";
import { valueAxis } from "../../../src/report/widgets/plot-axes.ts";
import { drawn } from "../../drawn.ts";
import { ascii, frame, unicode } from "./frames.ts";
import { palettes } from "./widgets.ts";

const x = Array.from({ length: 40 }, (_, i) => i / 4);
const two = {
  series: [
    { name: "forecast", x, y: x.map((rate) => 1e6 * (30 + 3 * rate * rate)) },
    { name: "measured", x, y: x.map((rate) => (rate > 4 && rate < 5 ? Number.NaN : 1e6 * (40 + 20 * rate))) },
  ],
  limit: { value: 250e6, name: "SLO" },
  xLabel: "requests per second",
  yLabel: "TTFT p95",
  formatX: (value: number) => formatNumber(value),
  formatY: formatDuration,
};
const bareAxes = { xLabel: "x", yLabel: "y", formatX: formatCount, formatY: formatCount };
const one = (y: readonly number[], at: readonly number[] = y.map((_, i) => i)) => ({
  ...bareAxes,
  series: [{ name: "one", x: at, y }],
});
/** The plotted cells of a plot with a title, a legend and two lines of axis below. */
const area = (lines: readonly string[]) => lines.slice(1, -3).map((line) => line.replace(/^[^|+│┤]*[|+│┤]/u, ""));
/** Rows of braille dots, from the top. */
function dotRows(lines: readonly string[]): Set<number> {
  const rows = new Set<number>();
  for (const [row, line] of lines.entries())
    for (const sign of line) {
      const dots = sign.charCodeAt(0) - 0x2800;
      if (dots <= 0 || dots > 255) continue;
      for (const [down, bits] of [0x09, 0x12, 0x24, 0xc0].entries()) if ((dots & bits) !== 0) rows.add(4 * row + down);
    }
  return rows;
}

test("a constant is one horizontal line from edge to edge, at the height of its value", () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1e9, noNaN: true }), fc.integer({ min: 9, max: 40 }), (value, height) => {
      const lines = area(linePlot(one([value, value, value]), { width: 60, height }, unicode));
      const rows = dotRows(lines);
      expect(rows.size).toBe(1);
      const { top } = valueAxis(value > 0 ? value : 1, height - 4, formatCount);
      expect([...rows]).toEqual([Math.round((1 - value / top) * (4 * (height - 4) - 1))]);
      expect(lines.find((line) => line.trim() !== "")).toMatch(/^[\u2801-\u28ff]+$/u);
      const plain = area(linePlot(one([value, value]), { width: 60, height }, ascii)).filter(
        (line) => line.trim() !== "",
      );
      expect(plain).toHaveLength(1);
      expect(plain[0]).toMatch(/^\*+$/);
    }),
    { numRuns: drawn(100) },
  );
});

test("axes of values begin at 0, end above every value and have two to five labels that differ", () => {
  fc.assert(
    fc.property(fc.double({ min: 1e-9, max: 1e15, noNaN: true }), fc.integer({ min: 2, max: 60 }), (high, rows) => {
      const { top, ticks } = valueAxis(high, rows, (value) => formatNumber(value, 6));
      expect(top).toBeGreaterThanOrEqual(high);
      expect(top).toBeLessThanOrEqual(high * 5);
      expect(ticks[0]?.value).toBe(0);
      expect(ticks.length).toBeGreaterThanOrEqual(2);
      expect(ticks.length).toBeLessThanOrEqual(5);
      expect(new Set(ticks.map(({ text }) => text)).size).toBe(ticks.length);
    }),
    { numRuns: drawn(400) },
  );
});

test("a limit is always in the plot, with its name and value", () => {
  const value = fc.double({ min: 0, max: 1e6, noNaN: true });
  fc.assert(
    fc.property(value, value, (limit, y) => {
      // Two points with a gap between them, so that they hide no more of the limit than its ends.
      const plot = { ...one([y, Number.NaN, y]), limit: { value: limit, name: "SLO" } };
      for (const palette of [ascii, unicode]) {
        const dashed = area(linePlot(plot, { width: 70, height: 14 }, palette)).filter((line) => /--|╌╌/u.test(line));
        expect(dashed).toHaveLength(1);
        expect(dashed[0]).toContain(` SLO ${formatCount(limit)} `);
      }
    }),
    { numRuns: drawn(100) },
  );
});

test("what is no number is a gap, and points beside it are not joined", () => {
  const [, row = ""] = area(linePlot(one([1, Number.NaN, 1]), { width: 40, height: 8 }, ascii)).map((line) =>
    line.trimEnd(),
  );
  const lines = area(linePlot(one([1, Number.NaN, 1]), { width: 40, height: 8 }, ascii));
  expect(lines.join("").replace(/ /g, "")).toBe("**");
  expect(row).not.toContain("**");
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, -1])
    expect(linePlot(one([bad, bad]), { width: 40, height: 8 }, ascii)).toEqual(["no points to plot"]);
});

test("lines of several series are told apart without colours, and have a sign at their end with them", () => {
  const plain = area(linePlot(two, { width: 70, height: 16 }, unicode)).join("");
  expect(plain).toMatch(/●+/u);
  expect(plain).toMatch(/▲+/u);
  expect(plain).not.toMatch(/[\u2801-\u28ff]/u);
  for (const palette of palettes.filter(({ depth, glyphs }) => depth !== "none" && glyphs.braille)) {
    const lines = linePlot(two, { width: 70, height: 16 }, palette);
    const text = lines.slice(0, -1).join("");
    for (const [i, sign] of ["●", "▲"].entries()) {
      expect(text.split(sign)).toHaveLength(2);
      expect(lines.at(-1)).toContain(palette.series(i, sign));
    }
  }
});

test("neighbouring cells of one colour share a mark", () => {
  for (const palette of palettes)
    for (const line of linePlot(two, { width: 90, height: 20 }, palette)) {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: marks that end and begin again
      expect(line).not.toMatch(/\u001b\[([\d;]+)m[^\u001b]*\u001b\[[\d;]+m\u001b\[\1m/);
    }
});

test("golden frames", () => {
  expect(frame(linePlot(two, { width: 76, height: 16 }, ascii))).toMatchInlineSnapshot(`
    "
    TTFT p95
    400 ms +
           |
           |                                                                   *
           |                                                              *****
           | SLO 250 ms ----------------------------------------------****------
           |                                                     ****ooooooooooo
    200 ms +                                           oooooooooooooo
           |                                  ooooooooo***
           |                   ooooooooo     *******
           |     oooooooooooooo  ************
           |ooooo****************
      0 ns +
           ++-------------+------------+-------------+-------------+------------
            0             2            4             6             8
    * forecast  o measured  - SLO 250 ms                     requests per second
    "
  `);
  expect(
    frame(linePlot({ ...two, series: two.series.slice(0, 1) }, { width: 40, height: 9 }, unicode)),
  ).toMatchInlineSnapshot(`
    "
    TTFT p95
    500 ms ┤
           │                               ⢀
           │ SLO 250 ms ╌╌╌╌╌╌╌╌╌╌╌╌⣀⣀⡠⠤⠔⠒⠉⠁
           │               ⢀⣀⣀⠤⠤⠒⠒⠊⠉
      0 ns ┤⠤⠤⠤⠤⠤⠤⠔⠒⠒⠒⠒⠊⠉⠉⠉⠁
           └┬───────────────┬───────────────
            0               5
    ● forecast  ╌ SLO 250 ms
    "
  `);
  expect(frame(linePlot(two, { width: 20, height: 4 }, unicode))).toMatchInlineSnapshot(`
    "
    500 ms ┤
           │╌╌╌╌╌╌▲▲▲▲▲▲
      0 ns ┤▲▲▲▲▲▲●
    ● forecast  …
    "
  `);
});
