import fc from "fast-check";
import { expect, test } from "vitest";
import { columnWidths } from "../../../src/report/widgets/column-widths.ts";
import { scrollTable, tableFrom, visibleRows } from "../../../src/report/widgets/scroll-table.ts";
import { styledWidth } from "../../../src/report/widgets/styled-text.ts";
import { drawn } from "../../drawn.ts";
import { ascii, frame, unicode } from "./frames.ts";
import { palettes } from "./widgets.ts";

const columns = [
  { header: "deployment" },
  { header: "GPUs", align: "right" as const },
  { header: "TTFT", align: "right" as const, dispensable: 1 },
  { header: "note", dispensable: 2 },
];
const cell = (row: number, column: number) =>
  [
    `eight accelerators, expert parallel, number ${row}`,
    `${8 * row}`,
    `${row} ms`,
    row % 2 === 0 ? "fits" : "does not",
  ][column] ?? "";
const table = { columns, rows: 3000, cell };

test("cells are asked for in the rows that are seen, and in no other", () => {
  fc.assert(
    fc.property(fc.nat(5000), fc.nat(30), fc.nat(200), (count, height, from) => {
      const asked = new Set<number>();
      const askedCell = (row: number, column: number) => {
        asked.add(row);
        return cell(row, column);
      };
      const lines = scrollTable({ columns, rows: count, cell: askedCell }, { width: 80, height }, ascii, { from });
      const visible = visibleRows(count, height);
      expect(asked.size).toBe(visible);
      const first = Math.max(0, Math.min(from, count - visible));
      for (const row of asked) expect(row - first).toBeLessThan(visible);
      if (visible > 0) expect(Math.min(...asked)).toBe(first);
      if (count > 0) expect(lines.length).toBe(Math.min(height, count + 1));
    }),
    { numRuns: drawn(200) },
  );
});

test("the last line says which rows are seen where others are not", () => {
  const last = (from: number, rows: number) =>
    scrollTable({ ...table, rows }, { width: 80, height: 12 }, ascii, { from }).at(-1);
  expect(last(11, 3000)).toBe("12-21 of 3,000");
  expect(last(1e9, 3000)).toBe("2,991-3,000 of 3,000");
  expect(last(0, 11)).toContain("number 10");
});

test("the selection stays in view, and the view moves no further than it must", () => {
  fc.assert(
    fc.property(
      fc.nat(300),
      fc.nat(300),
      fc.integer({ min: 1, max: 300 }),
      fc.integer({ min: 1, max: 40 }),
      (at, was, count, visible) => {
        const selected = Math.min(at, count - 1);
        const from = tableFrom(selected, was, count, visible);
        expect(from).toBeGreaterThanOrEqual(0);
        expect(from).toBeLessThanOrEqual(Math.max(0, count - visible));
        expect(selected - from).toBeGreaterThanOrEqual(0);
        expect(selected - from).toBeLessThan(visible);
        expect(tableFrom(selected, from, count, visible)).toBe(from);
        const kept = was <= count - visible && selected >= was && selected < was + visible;
        if (kept) expect(from).toBe(was);
      },
    ),
    { numRuns: drawn(400) },
  );
});

test("texts are cut to their least first, then columns go by their number, then everything is cut", () => {
  const rows = [columns.map(({ header }) => header), columns.map((_, i) => cell(0, i))];
  const shown = (room: number) => columnWidths(columns, rows, room, 2).map(({ column }) => column);
  const total = (room: number) =>
    columnWidths(columns, rows, room, 2).reduce((sum, { cells }, i) => sum + cells + (i > 0 ? 2 : 0), 0);
  expect(shown(80)).toEqual([0, 1, 2, 3]);
  expect(total(80)).toBe(45 + 6 + 6 + 6 + 0);
  expect(shown(30)).toEqual([0, 1, 2, 3]);
  expect(shown(29)).toEqual([0, 1, 2]);
  expect(shown(23)).toEqual([0, 1]);
  expect(shown(5)).toEqual([0, 1]);
  for (let room = 4; room < 63; room += 1) expect(total(room)).toBeLessThanOrEqual(room);
  for (let room = 30; room < 63; room += 1) expect(total(room)).toBe(room);
});

test("a selected row is inverse over the whole width, and told by the pointer without colours", () => {
  for (const palette of palettes) {
    const lines = scrollTable(table, { width: 70, height: 9 }, palette, { from: 0, selected: 3 });
    const row = lines[4] ?? "";
    expect(row).toContain(palette.glyphs.pointer);
    expect(styledWidth(row)).toBe(70);
    expect(row.includes("\u001b[7m")).toBe(palette !== ascii);
    expect(lines.filter((line) => line.includes("\u001b[7m") || line.startsWith(palette.glyphs.pointer))).toHaveLength(
      1,
    );
  }
});

test("golden frames", () => {
  const view = { from: 11, selected: 13, marked: (row: number) => row === 15, sorted: { column: 1, descending: true } };
  const toned = { ...table, tone: (row: number) => (row % 3 === 0 ? ("bad" as const) : undefined) };
  expect(frame(scrollTable(toned, { width: 72, height: 8 }, ascii, view))).toMatchInlineSnapshot(`
    "
        deployment                                   GPUs v   TTFT  note
        eight accelerators, expert parallel, numbe~      88  11 ms  does not
      x eight accelerators, expert parallel, numbe~      96  12 ms  fits
    >   eight accelerators, expert parallel, numbe~     104  13 ms  does not
        eight accelerators, expert parallel, numbe~     112  14 ms  fits
     *x eight accelerators, expert parallel, numbe~     120  15 ms  does not
        eight accelerators, expert parallel, numbe~     128  16 ms  fits
    12-17 of 3,000
    "
  `);
  expect(frame(scrollTable(toned, { width: 34, height: 6 }, unicode, view))).toMatchInlineSnapshot(`
    "
        deployment       GPUs ▼   TTFT
        eight accelera…      88  11 ms
      ✗ eight accelera…      96  12 ms
    ›   eight accelera…     104  13 ms
        eight accelera…     112  14 ms
    12-15 of 3,000
    "
  `);
});
