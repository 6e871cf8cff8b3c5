import { oneLine } from "../../core/printable.ts";
import { formatCount } from "../../core/units.ts";
import { labelLine } from "./axis.ts";
import { type HeatLayout, type HeatNames, type HeatView, heatLayout, nameWidth } from "./heat-layout.ts";
import { type HeatScale, heatScale } from "./heat-scale.ts";
import { legendLine } from "./legend.ts";
import type { Palette } from "./palette.ts";
import { cellCount, clip, fitLine, type Size } from "./styled-text.ts";

/** Values of rows x columns, row by row. One that is not finite is an empty cell. */
export interface HeatMap extends HeatNames {
  readonly values: ArrayLike<number>;
  readonly format: (value: number) => string;
  /** Values of the lowest and the highest level: those of the smallest and the largest value by default. */
  readonly range?: readonly [low: number, high: number] | undefined;
}

/** A header of column names, a line per row or group of rows, and a legend. Cells that stand for several values show the largest. */
export function heatMap(map: HeatMap, size: Size, palette: Palette, view: HeatView): string[] {
  const [width, height] = [cellCount(size.width), cellCount(size.height)];
  if (width === 0 || height === 0) return [];
  const layout = heatLayout(map, { width, height }, view);
  const scale = heatScale(map.values, map.range, palette);
  if (scale === null || layout.lines === 0 || layout.cells === 0)
    return [fitLine("no values", width, palette.glyphs.ellipsis).trimEnd()];
  const header = layout.header ? [palette.dim(" ".repeat(layout.gutter) + columnLabels(map, layout))] : [];
  const body = Array.from({ length: layout.lines }, (_, line) => {
    const row = layout.rowFrom + line * layout.rowsPerLine;
    const cursor = view.cursor !== undefined && inside(view.cursor.row - row, layout.rowsPerLine) ? view.cursor : null;
    const at = cursor === null ? -1 : Math.floor((cursor.column - layout.columnFrom) / layout.columnsPerCell);
    return rowLabel(map, layout, row, cursor !== null, palette) + heatRow(map, layout, row, at, scale, palette);
  });
  const legend = layout.legend ? [legendLine(legendItems(map, layout, view, scale), width, palette)] : [];
  return clip([...header, ...body, ...legend], { width, height });
}

/** The cells of a line: neighbours of one colour share one mark. The cell at the cursor has the mark glyph. */
function heatRow(
  map: HeatMap,
  layout: HeatLayout,
  row: number,
  at: number,
  scale: HeatScale,
  palette: Palette,
): string {
  const { cells, cellWidth, columnFrom, columnsPerCell } = layout;
  const rowEnd = Math.min(map.rows, row + layout.rowsPerLine);
  const empty = " ".repeat(cellWidth);
  let line = "";
  let close = "";
  let open = "";
  for (let cell = 0; cell < cells; cell += 1) {
    const from = columnFrom + cell * columnsPerCell;
    const level = scale.levelOf(largest(map, row, rowEnd, from, Math.min(map.columns, from + columnsPerCell)));
    const marked = cell === at;
    const next = marked || level < 0 ? "" : scale.open[level]!;
    if (next !== open) {
      line += close + next;
      open = next;
      close = next === "" ? "" : scale.close;
    }
    line += marked
      ? palette.inverse(scale.cell(palette.glyphs.mark, cellWidth))
      : level < 0
        ? empty
        : scale.cells(cellWidth)[level]!;
  }
  return line + close;
}

/** The largest finite value of a block, NaN where there is none. */
function largest({ values, columns }: HeatMap, row: number, rowEnd: number, column: number, columnEnd: number): number {
  let most = Number.NaN;
  for (let i = row; i < rowEnd; i += 1)
    for (let j = column; j < columnEnd; j += 1) {
      const value = values[i * columns + j]!;
      if (Number.isFinite(value) && !(value <= most)) most = value;
    }
  return most;
}

const inside = (offset: number, count: number) => offset >= 0 && offset < count;

function rowLabel(map: HeatMap, { gutter }: HeatLayout, row: number, current: boolean, palette: Palette): string {
  if (gutter === 0) return "";
  const text = fitLine(oneLine(map.rowName(row)), gutter - 1, palette.glyphs.ellipsis);
  return current ? `${palette.accent(text)}${palette.glyphs.pointer}` : `${palette.dim(text)} `;
}

/** Names of columns over their cells, at equal distances and so many that they do not touch each other. */
function columnLabels(map: HeatMap, layout: HeatLayout): string {
  const { cells, cellWidth, columnsPerCell, columnFrom, visibleColumns } = layout;
  const name = (i: number) => oneLine(map.columnName(columnFrom + i));
  const widest = nameWidth(visibleColumns, name);
  const strides = [1, 2, 4, 5, 8, 10, 16, 20, 32, 40, 50, 64];
  const stride = strides.find((count) => count * cellWidth > widest) ?? 100;
  const middle = widest <= cellWidth ? Math.floor(cellWidth / 2) : 0;
  const labels = Array.from({ length: Math.ceil(cells / stride) }, (_, i) => ({
    cell: i * stride * cellWidth + middle,
    text: name(i * stride * columnsPerCell),
  }));
  return labelLine(labels, cells * cellWidth, middle > 0 ? "centre" : "start");
}

/** The value at the cursor, the levels between the numbers of their ends, and what is not seen one by one. */
function legendItems(map: HeatMap, layout: HeatLayout, { cursor }: HeatView, scale: HeatScale): string[] {
  const { rowsPerLine, columnsPerCell, rowFrom, visibleRows, columnFrom, visibleColumns } = layout;
  const items: string[] = [];
  if (cursor !== undefined && inside(cursor.row, map.rows) && inside(cursor.column, map.columns)) {
    const value = map.values[cursor.row * map.columns + cursor.column] ?? Number.NaN;
    const text = Number.isFinite(value) ? map.format(value) : "n/a";
    items.push(`${oneLine(map.rowName(cursor.row))}, ${oneLine(map.columnName(cursor.column))}: ${oneLine(text)}`);
  }
  items.push(`${oneLine(map.format(scale.low))} ${scale.ramp} ${oneLine(map.format(scale.high))}`);
  if (columnsPerCell > 1) items.push(`max of ${formatCount(columnsPerCell)} a cell`);
  if (rowsPerLine > 1) items.push(`${formatCount(rowsPerLine)} rows a line`);
  const part = (word: string, from: number, seen: number, count: number) =>
    seen < count ? [`${word} ${formatCount(from + 1)}-${formatCount(from + seen)} of ${formatCount(count)}`] : [];
  items.push(
    ...part("rows", rowFrom, visibleRows, map.rows),
    ...part("columns", columnFrom, visibleColumns, map.columns),
  );
  return items;
}
