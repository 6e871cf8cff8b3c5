import { oneLine } from "../../core/printable.ts";
import { formatCount } from "../../core/units.ts";
import type { Align } from "../text-table.ts";
import { toneSign } from "./bar-line.ts";
import { columnWidths, type TableColumn } from "./column-widths.ts";
import type { Palette } from "./palette.ts";
import { cellCount, clip, fitLine, fitRight, type Size, styledWidth, type Tone } from "./styled-text.ts";

/** Rows that are asked for when they are seen. */
export interface ScrollTable {
  readonly columns: readonly TableColumn[];
  /** How many there are. */
  readonly rows: number;
  readonly cell: (row: number, column: number) => string;
  /** The colour of a row; a sign before it says the same. */
  readonly tone?: ((row: number) => Tone | undefined) | undefined;
}

/** What part of a table is seen, and what stands out in it. */
export interface TableView {
  /** The row at the top; less where fewer rows follow than fit. */
  readonly from: number;
  readonly selected?: number | undefined;
  readonly marked?: ((row: number) => boolean) | undefined;
  readonly sorted?: { readonly column: number; readonly descending: boolean } | undefined;
}

const gap = "  ";

/** A header, the rows that fit, and `12-40 of 3,000` where others do not. `cell` is called for no other row. */
export function scrollTable(table: ScrollTable, size: Size, palette: Palette, view: TableView): string[] {
  const width = cellCount(size.width);
  const height = cellCount(size.height);
  if (width === 0 || height === 0) return [];
  const count = rowCount(table.rows);
  const visible = visibleRows(count, height);
  const from = Math.max(0, Math.min(count - visible, rowCount(view.from)));
  const rows = Array.from({ length: Math.min(visible, count) }, (_, i) => from + i);
  const cells = rows.map((row) => table.columns.map((_, column) => oneLine(table.cell(row, column))));
  const headers = table.columns.map((column, i) => headerText(column, i, view, palette));
  const gutters = rows.map((row) => gutter(row, table, view, palette));
  const gutterWidth = styledWidth(gutters[0] ?? "");
  const widths = columnWidths(table.columns, [headers, ...cells], width - gutterWidth, gap.length);
  const line = (texts: readonly string[]) =>
    widths
      .map(({ column, cells: room }) => aligned(texts[column] ?? "", room, table.columns[column]?.align, palette))
      .join(gap);
  const header = palette.bold((" ".repeat(gutterWidth) + line(headers)).trimEnd());
  const body = rows.map((row, i) => {
    const text = (gutters[i] ?? "") + line(cells[i] ?? []);
    const tone = table.tone?.(row);
    const paint = tone === undefined ? (plain: string) => plain : palette[tone];
    return row === view.selected ? palette.inverse(paint(fitLine(text, width))) : paint(text.trimEnd());
  });
  if (count === 0) return clip(height === 1 ? ["no rows"] : [header, palette.dim("no rows")], { width, height });
  const footer = visible < count && height > 2 ? [palette.dim(placeText(from, visible, count))] : [];
  return clip([...(height > 1 ? [header] : []), ...body, ...footer], { width, height });
}

/** How many of `count` rows a table of `height` lines shows at once. */
export function visibleRows(count: number, height: number): number {
  const lines = cellCount(height);
  if (lines <= 1) return Math.min(lines, count);
  if (count < lines) return count;
  return lines === 2 ? 1 : lines - 2;
}

/** The row at the top that keeps the selected one in view and moves as little as it can from where it was. */
export function tableFrom(selected: number, from: number, count: number, visible: number): number {
  const room = Math.max(1, visible);
  const row = Math.max(0, Math.min(count - 1, selected));
  const shown = Math.max(row - room + 1, Math.min(row, from));
  return Math.max(0, Math.min(shown, count - room));
}

/** `12-40 of 3,000`, counted from 1. */
export const placeText = (from: number, visible: number, count: number): string =>
  `${formatCount(from + 1)}-${formatCount(Math.min(count, from + visible))} of ${formatCount(count)}`;

/** A count of rows, which may be more than any number of cells. */
const rowCount = (count: number): number => (Number.isFinite(count) ? Math.max(0, Math.floor(count)) : 0);

function headerText(column: TableColumn, i: number, { sorted }: TableView, { glyphs }: Palette): string {
  const text = oneLine(column.header);
  return sorted?.column === i ? `${text} ${sorted.descending ? glyphs.down : glyphs.up}` : text;
}

const aligned = (text: string, room: number, align: Align | undefined, { glyphs }: Palette): string =>
  align === "right" ? fitRight(text, room, glyphs.ellipsis) : fitLine(text, room, glyphs.ellipsis);

/** The pointer, the mark and the sign of the tone, a cell each where the table has them at all, and a space. */
function gutter(row: number, table: ScrollTable, view: TableView, palette: Palette): string {
  const { pointer, mark } = palette.glyphs;
  const pointed = view.selected === undefined ? "" : row === view.selected ? pointer : " ";
  const marked = view.marked === undefined ? "" : view.marked(row) ? mark : " ";
  const sign = table.tone === undefined ? "" : toneSign(table.tone(row), palette) || " ";
  const signs = pointed + marked + sign;
  return signs === "" ? "" : `${signs} `;
}
