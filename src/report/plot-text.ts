import { formatNumber } from "../core/units.ts";

/** Points over two axes that begin at 0. Of points in one cell the one with the highest rank is seen. */
export interface PointPlot {
  readonly x: string;
  readonly y: string;
  readonly points: readonly { readonly x: number; readonly y: number; readonly mark: string; readonly rank: number }[];
  /** What the marks mean. */
  readonly legend: string;
}

const columnsMax = 60;
const rows = 16;
/** Cells for labels. */
const beside = 12;
/** Labels are apart by so many rows, and by so many columns. */
const rowStep = 4;
const columnStep = 15;

/** A plot as lines of plain characters, at most `width` or 72 cells wide. */
export function plotText({ x, y, points, legend }: PointPlot, width: number = columnsMax + beside): string[] {
  const shown = points.filter((point) => Number.isFinite(point.x) && Number.isFinite(point.y));
  if (shown.length === 0) return ["no points"];
  const columns = Math.max(20, Math.min(columnsMax, width - beside));
  const right = roundUp(shown.reduce((most, point) => Math.max(most, point.x), 0));
  const top = roundUp(shown.reduce((most, point) => Math.max(most, point.y), 0));
  const cells = Array.from({ length: rows }, () => Array.from({ length: columns }, () => " "));
  const cell = (value: number, most: number, count: number) => Math.min(count - 1, Math.floor((value / most) * count));
  for (const { x: at, y: height, mark } of [...shown].sort((a, b) => a.rank - b.rank))
    cells[rows - 1 - cell(height, top, rows)]![cell(at, right, columns)] = mark;
  const label = (row: number) => (row % rowStep === 0 ? formatNumber((top * (rows - row)) / rows) : "");
  const gutter = Math.max(...cells.map((_line, row) => label(row).length));
  const ticks = Array.from({ length: Math.floor(columns / columnStep) + 1 }, (_, i) => i * columnStep);
  return [
    y,
    ...cells.map((line, row) =>
      `${label(row).padStart(gutter)} ${label(row) === "" ? "|" : "+"}${line.join("")}`.trimEnd(),
    ),
    `${" ".repeat(gutter + 1)}+${Array.from({ length: columns }, (_, i) => (i > 0 && i % columnStep === 0 ? "+" : "-")).join("")}`,
    `${" ".repeat(gutter + 2)}${ticks.map((tick) => formatNumber((right * tick) / columns).padEnd(columnStep)).join("")}`.trimEnd(),
    `${" ".repeat(gutter + 2)}${x}`,
    legend,
  ];
}

/** The next of 1, 1.5, 2, 3, 4, 5, 6, 8 times a power of ten. */
function roundUp(value: number): number {
  if (!(value > 0)) return 1;
  let unit = 1;
  while (unit > value) unit /= 10;
  while (unit * 10 <= value) unit *= 10;
  return unit * ([1, 1.5, 2, 3, 4, 5, 6, 8].find((step) => step * unit >= value) ?? 10);
}
