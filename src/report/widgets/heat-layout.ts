import { oneLine } from "../../core/printable.ts";
import { cellCount, type Size, styledWidth } from "./styled-text.ts";

/** Names and numbers of rows and columns. */
export interface HeatNames {
  readonly rows: number;
  readonly columns: number;
  readonly rowName: (row: number) => string;
  readonly columnName: (column: number) => string;
}

/** What part of a heat map is seen. */
export interface HeatView {
  /** The row at the top, and the column at the left; less where fewer follow than fit. */
  readonly rowFrom: number;
  readonly columnFrom: number;
  /** The cell whose value the legend tells. */
  readonly cursor?: { readonly row: number; readonly column: number } | undefined;
  /** Rows that share a line: 1 by default, or as many as show all rows. */
  readonly rowsPerLine?: number | "fit" | undefined;
  /** Columns that share a cell: by default as many as show all columns. */
  readonly columnsPerCell?: number | undefined;
}

/** Where the parts of a heat map stand, and how much of it is seen. */
export interface HeatLayout {
  readonly header: boolean;
  readonly legend: boolean;
  /** Cells of row names with the space behind them; 0 without. */
  readonly gutter: number;
  readonly lines: number;
  readonly cells: number;
  readonly cellWidth: number;
  readonly rowsPerLine: number;
  readonly columnsPerCell: number;
  /** The first ones that are seen, after what was asked for was kept within the map. */
  readonly rowFrom: number;
  readonly columnFrom: number;
  readonly visibleRows: number;
  readonly visibleColumns: number;
}

const cellWidthMax = 4;
const linesForLegend = 2;
const linesForHeader = 4;
const cellsMin = 8;
/** More names than these are not measured: the first ones tell how wide they are. */
const namesMeasured = 256;

/** Whole, and at least 0: a count of rows may be more than any number of cells. */
const whole = (count: number) => (Number.isFinite(count) ? Math.max(0, Math.floor(count)) : 0);

/** How a map is laid out in a size; screens scroll by what it says is visible. */
export function heatLayout(names: HeatNames, size: Size, view: HeatView): HeatLayout {
  const [width, height] = [cellCount(size.width), cellCount(size.height)];
  const [rows, columns] = [whole(names.rows), whole(names.columns)];
  const legend = height >= linesForLegend;
  const header = height >= linesForHeader;
  const room = height - (legend ? 1 : 0) - (header ? 1 : 0);
  const named = Math.min(nameWidth(rows, names.rowName) + 1, Math.floor(width / 4));
  const gutter = named >= 3 && width - named >= cellsMin ? named : 0;
  const across = width - gutter;
  const least = (count: number, most: number) => Math.max(1, Math.ceil(count / Math.max(1, most)));
  const { rowsPerLine: linesAsked = 1, columnsPerCell: asked = least(columns, across) } = view;
  const rowsPerLine = linesAsked === "fit" ? least(rows, room) : Math.max(1, whole(linesAsked));
  const columnsPerCell = Math.max(1, whole(asked));
  const cells = Math.min(Math.ceil(columns / columnsPerCell), across);
  const lines = Math.min(Math.ceil(rows / rowsPerLine), room);
  const rowFrom = Math.max(0, Math.min(rows - lines * rowsPerLine, whole(view.rowFrom)));
  const columnFrom = Math.max(0, Math.min(columns - cells * columnsPerCell, whole(view.columnFrom)));
  return {
    header,
    legend,
    gutter,
    lines,
    cells,
    cellWidth: Math.max(1, Math.min(cellWidthMax, Math.floor(across / Math.max(1, cells)))),
    rowsPerLine,
    columnsPerCell,
    rowFrom,
    columnFrom,
    visibleRows: Math.min(rows - rowFrom, lines * rowsPerLine),
    visibleColumns: Math.min(columns - columnFrom, cells * columnsPerCell),
  };
}

/** Cells of the widest of the first names. */
export function nameWidth(count: number, name: (i: number) => string): number {
  let most = 0;
  for (let i = 0; i < Math.min(count, namesMeasured); i += 1) most = Math.max(most, styledWidth(oneLine(name(i))));
  return most;
}
