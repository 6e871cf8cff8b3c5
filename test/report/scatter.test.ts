import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { logAxis, type ScatterPlot } from "../../src/report/scatter.ts";
import { scatterSvg } from "../../src/report/scatter-svg.ts";
import { scatterText } from "../../src/report/scatter-text.ts";
import { parseXml } from "./parse-xml.ts";

const plot = (pairs: readonly (readonly [number, number])[]): ScatterPlot => ({
  quantity: "TPOT",
  unit: "ms",
  points: pairs.map(([measured, predicted]) => ({ measured, predicted, series: "one", label: "a point" })),
});
const value = fc.double({ min: 0.01, max: 100_000, noNaN: true });
const pairs = fc.array(fc.tuple(value, value), { minLength: 1, maxLength: 30 });

/** Centres of the marks of a drawing. */
const centres = (drawn: ScatterPlot) =>
  parseXml(scatterSvg(drawn, "title"))
    .all("circle")
    .filter((circle) => circle.attributes["r"] === "3")
    .map((circle) => [Number(circle.attributes["cx"]), Number(circle.attributes["cy"])] as const);

/** Rows of marks in a text plot: column and height from the bottom. */
function marks(drawn: ScatterPlot): { column: number; height: number; mark: string }[] {
  const rows = scatterText(drawn).filter((line) => /^ *[\d.,]* [|+](?![-+]+$)/.test(line));
  return rows.flatMap((line, fromTop) =>
    Array.from(line.slice(line.search(/[|+]/) + 1)).flatMap((mark, column) =>
      "oO@".includes(mark) ? [{ column, height: rows.length - 1 - fromTop, mark }] : [],
    ),
  );
}

describe("a scatter plot", () => {
  test("has axes that hold every value between round ends", () => {
    fc.assert(
      fc.property(pairs, (list) => {
        const axis = logAxis(plot(list));
        for (const each of list.flat()) {
          expect(axis?.at(each)).toBeGreaterThanOrEqual(0);
          expect(axis?.at(each)).toBeLessThanOrEqual(1 + 1e-12);
        }
        expect(axis?.ticks[0]).toBe(axis?.low);
        expect(axis?.ticks.at(-1)).toBe(axis?.high);
      }),
    );
  });

  test("draws exact forecasts on the diagonal, slow ones above it", () => {
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 20 }), (measured) => {
        // The square is 560 wide, from 64 on the left to 600 at the bottom.
        for (const [x, y] of centres(plot(measured.map((each) => [each, each]))))
          expect(x - 64).toBeCloseTo(600 - y, 0);
        for (const [x, y] of centres(plot(measured.map((each) => [each, each * 1.5]))))
          expect(600 - y).toBeGreaterThan(x - 64);
      }),
    );
  });

  test("as text marks how many points share a cell", () => {
    const at = (count: number) => marks(plot([...Array.from({ length: count }, () => [10, 10] as const), [1, 1]]));
    expect(at(1).map(({ mark }) => mark)).toEqual(["o", "o"]);
    expect(at(2).map(({ mark }) => mark)).toEqual(["O", "o"]);
    expect(at(5).map(({ mark }) => mark)).toEqual(["@", "o"]);
  });

  test("as text rises from the lower left to the upper right for exact forecasts", () => {
    const found = marks(plot([1, 3, 10, 30, 100].map((each) => [each, each])));
    expect(found).toHaveLength(5);
    const byColumn = [...found].sort((a, b) => a.column - b.column);
    expect(byColumn.map(({ height }) => height)).toEqual([0, 6, 13, 19, 25]);
    expect(byColumn.map(({ column }) => column)).toEqual([0, 14, 30, 44, 59]);
  });

  test("as text keeps to its width", () => {
    fc.assert(
      fc.property(pairs, fc.integer({ min: 60, max: 100 }), (list, width) => {
        for (const line of scatterText(plot(list), width)) expect(line.length).toBeLessThanOrEqual(Math.min(width, 72));
      }),
    );
  });

  test("leaves out values that have no logarithm", () => {
    expect(
      centres(
        plot([
          [0, 1],
          [1, -1],
          [Number.NaN, 1],
          [2, 2],
        ]),
      ),
    ).toHaveLength(1);
    expect(scatterText(plot([]))).toEqual(["no points"]);
    expect(scatterSvg(plot([]), "none")).toContain("no points");
  });
});
