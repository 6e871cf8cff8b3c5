import fc from "fast-check";
import { expect, test } from "vitest";
import { plotText } from "../../src/report/plot-text.ts";

const plot = (points: readonly { x: number; y: number; mark?: string; rank?: number }[]) => ({
  x: "x",
  y: "y",
  points: points.map(({ x, y, mark = "o", rank = 0 }) => ({ x, y, mark, rank })),
  legend: "o a point",
});
/** Cells of the plotted area, from the top. */
const cells = (lines: readonly string[]) => lines.slice(1, -4).map((line) => line.replace(/^[^|+]*[|+]/, ""));
const positive = fc.double({ min: 1e-6, max: 1e9, noNaN: true });

test("every point is in the area, and further right and up where it is larger", () => {
  fc.assert(
    fc.property(positive, positive, positive, positive, (x1, y1, x2, y2) => {
      const area = cells(
        plotText(
          plot([
            { x: x1, y: y1, mark: "A" },
            { x: x2, y: y2, mark: "B", rank: 1 },
          ]),
        ),
      );
      const place = (mark: string) => {
        const row = area.findIndex((line) => line.includes(mark));
        return row < 0 ? null : { row, column: area[row]!.indexOf(mark) };
      };
      const [a, b] = [place("A"), place("B")];
      expect(b).not.toBeNull();
      // One hides the other in one cell alone.
      if (a === null) return;
      if (x1 < x2) expect(a.column).toBeLessThanOrEqual(b!.column);
      if (y1 < y2) expect(a.row).toBeGreaterThanOrEqual(b!.row);
    }),
  );
});

test("the highest rank of a cell is seen, whatever the order", () => {
  const points = [
    { x: 1, y: 1, mark: "@", rank: 2 },
    { x: 1, y: 1, mark: ".", rank: 0 },
  ];
  for (const order of [points, points.toReversed()]) {
    const text = plotText(plot(order)).slice(1, -1).join("\n");
    expect(text).toContain("@");
    expect(text).not.toMatch(/\|[^\n]*\./);
  }
});

test("no line is wider than asked for, and a value at the top is labelled on its scale", () => {
  for (const width of [40, 60, 72, 200]) {
    const lines = plotText(
      plot([
        { x: 251, y: 3400 },
        { x: 1, y: 1 },
      ]),
      width,
    );
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(Math.max(32, Math.min(72, width)) + 1);
    expect(lines[1]).toMatch(/^ *4,000 \+/);
  }
});

test("without a finite point there is nothing to plot", () => {
  expect(plotText(plot([{ x: Number.NaN, y: 1 }]))).toEqual(["no points"]);
  expect(plotText(plot([]))).toEqual(["no points"]);
});
