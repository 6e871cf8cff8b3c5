import fc from "fast-check";
import { expect, test } from "vitest";
import { formatNumber } from "../../../src/core/units.ts";
import { heatLayout } from "../../../src/report/widgets/heat-layout.ts";
import { heatMap } from "../../../src/report/widgets/heat-map.ts";
import { drawn } from "../../drawn.ts";
import { ascii, frame, unicode } from "./frames.ts";
import { palettes } from "./widgets.ts";

const map = (rows: number, columns: number, value: (row: number, column: number) => number) => ({
  rows,
  columns,
  values: Float64Array.from({ length: rows * columns }, (_, i) => value(Math.floor(i / columns), i % columns)),
  rowName: (row: number) => `layer ${row}`,
  columnName: (column: number) => `${column}`,
  format: (value: number) => formatNumber(value),
});
const bell = (row: number, column: number) =>
  row === 2 && column === 3 ? Number.NaN : 1 / (1 + ((column - row / 2) / 4) ** 2);
const start = { rowFrom: 0, columnFrom: 0 };
/** The digits of a plain map, line by line. */
const digits = (lines: readonly string[], gutter: number) =>
  lines.slice(1, -1).map((line) => line.slice(gutter).replace(/ /g, ""));

test("a cell of several values shows the largest, and the legend says how many", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 60, maxLength: 60 }),
      fc.integer({ min: 14, max: 70 }),
      fc.constantFrom(1, 2, 3),
      (values, width, rowsPerLine) => {
        const data = { ...map(2, 30, (row, column) => values[row * 30 + column]!), range: [0, 10] as const };
        const size = { width, height: 10 };
        const view = { ...start, rowsPerLine };
        const { gutter, columnsPerCell, cells } = heatLayout(data, size, view);
        const lines = heatMap(data, size, ascii, view);
        expect(cells).toBe(Math.ceil(30 / columnsPerCell));
        const most = (rows: readonly number[], cell: number) =>
          Math.max(
            ...rows.flatMap((row) =>
              values.slice(row * 30 + cell * columnsPerCell, row * 30 + Math.min(30, (cell + 1) * columnsPerCell)),
            ),
          );
        const groups = rowsPerLine === 1 ? [[0], [1]] : [[0, 1]];
        expect(digits(lines, gutter)).toEqual(
          groups.map((rows) => Array.from({ length: cells }, (_, cell) => most(rows, cell)).join("")),
        );
        if (width >= 60 && columnsPerCell > 1) expect(lines.at(-1)).toContain(`${columnsPerCell} a cell`);
      },
    ),
    { numRuns: drawn(200) },
  );
});

test("rows scroll, and no row is out of reach", () => {
  const data = map(61, 8, (row) => row);
  const size = { width: 60, height: 12 };
  const { visibleRows, visibleColumns } = heatLayout(data, size, start);
  expect([visibleRows, visibleColumns]).toEqual([10, 8]);
  const seen = (rowFrom: number) =>
    heatMap(data, size, ascii, { ...start, rowFrom })
      .slice(1, -1)
      .map((line) => line.slice(0, 9).trim());
  expect(seen(0)[0]).toBe("layer 0");
  expect(seen(30)[0]).toBe("layer 30");
  expect(seen(51).at(-1)).toBe("layer 60");
  expect(seen(1000)).toEqual(seen(51));
  expect(heatMap(data, size, ascii, { ...start, rowFrom: 30 }).at(-1)).toContain("rows 31-40 of 61");
});

test("columns scroll where each is to have a cell of its own", () => {
  const data = map(2, 300, (_, column) => column);
  const view = { rowFrom: 0, columnFrom: 250, columnsPerCell: 1 };
  const layout = heatLayout(data, { width: 60, height: 6 }, view);
  expect(layout).toMatchObject({ visibleColumns: 52, columnFrom: 248, cellWidth: 1 });
  expect(heatMap(data, { width: 60, height: 6 }, ascii, view).at(-1)).toContain("columns 249-300 of 300");
});

test("sixty-one layers of thirty-two experts have cells of three, and ninety-four of a hundred and twenty-eight fit", () => {
  const size = { width: 118, height: 30 };
  expect(heatLayout(map(61, 32, bell), size, start)).toMatchObject({
    cellWidth: 3,
    columnsPerCell: 1,
    visibleRows: 28,
  });
  const all = heatLayout(map(94, 128, bell), size, { ...start, rowsPerLine: "fit" });
  expect(all).toMatchObject({ columnsPerCell: 2, rowsPerLine: 4, visibleRows: 94, visibleColumns: 128 });
});

test("the cursor is marked, and the legend tells its name and value", () => {
  const data = map(12, 16, bell);
  for (const palette of palettes) {
    const lines = heatMap(data, { width: 80, height: 14 }, palette, { ...start, cursor: { row: 4, column: 2 } });
    expect(lines.at(-1)).toContain("layer 4, 2: 1");
    expect(lines.filter((line) => line.includes(palette.glyphs.mark))).toEqual([lines[5]]);
  }
  const gap = heatMap(data, { width: 80, height: 14 }, ascii, { ...start, cursor: { row: 2, column: 3 } });
  expect(gap.at(-1)).toContain("layer 2, 3: n/a");
});

test("what is no number is an empty cell, not the lowest level", () => {
  const data = map(1, 4, (_, column) => [0, Number.NaN, 9, Number.POSITIVE_INFINITY][column]!);
  expect(heatMap(data, { width: 4, height: 1 }, ascii, start)).toEqual(["0 9 "]);
  expect(
    heatMap(
      map(1, 4, () => Number.NaN),
      { width: 40, height: 5 },
      ascii,
      start,
    ),
  ).toEqual(["no values"]);
});

test("neighbouring cells of one colour share a mark", () => {
  for (const palette of palettes)
    for (const line of heatMap(map(20, 40, bell), { width: 90, height: 20 }, palette, start).slice(0, -1)) {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: marks that end and begin again
      expect(line).not.toMatch(/\u001b\[([\d;]+)m[^\u001b]*\u001b\[[\d;]+m\u001b\[\1m/);
    }
});

test("golden frames", () => {
  const view = { ...start, cursor: { row: 4, column: 2 } };
  expect(frame(heatMap(map(8, 16, bell), { width: 70, height: 8 }, ascii, view))).toMatchInlineSnapshot(`
    "
             0  1  2  3  4  5  6  7  8  9  10 11 12 13 14 15
    layer 0  9  9  7  6  4  3  2  1  1  1  0  0  0  0  0  0
    layer 1  9  9  8  6  5  4  2  2  1  1  0  0  0  0  0  0
    layer 2  9  9  9     6  4  3  2  1  1  1  0  0  0  0  0
    layer 3  8  9  9  8  6  5  4  2  2  1  1  0  0  0  0  0
    layer 4> 7  9  *  9  7  6  4  3  2  1  1  1  0  0  0  0
    layer 5  6  8  9  9  8  6  5  4  2  2  1  1  0  0  0  0
    layer 4, 2: 1  0.0664 0123456789 1  rows 1-6 of 8
    "
  `);
  expect(
    frame(heatMap(map(30, 64, bell), { width: 44, height: 8 }, unicode, { ...view, rowsPerLine: "fit" })),
  ).toMatchInlineSnapshot(`
    "
             0   8   16  24  32  40  48  56
    layer 0 ›█●▇▄▃▂▂▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁
    layer 5  ████▅▃▂▂▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁
    layer 10 ▄▇███▆▄▂▂▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁
    layer 15 ▃▄▆███▆▄▃▂▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁
    layer 20 ▂▂▄▆███▇▄▃▂▂▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁
    layer 25 ▁▂▂▃▅████▅▃▂▂▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁
    layer 4, 2: 1  0.00402 ▁▂▃▄▅▆▇█ 1  …
    "
  `);
});
