import { oneLine } from "../../core/printable.ts";
import { labelledLegend, legendItem, lineSigns, signAt } from "./legend.ts";
import type { Palette } from "./palette.ts";
import {
  type AxisLabels,
  bottomAxis,
  gutterWidth,
  leftAxis,
  linesFor,
  plotColumnsMin,
  valueAxis,
} from "./plot-axes.ts";
import { type Canvas, canvasRow, drawLine, makeCanvas } from "./plot-canvas.ts";
import { type PlotPoints, plotPoints, plotRange } from "./plot-range.ts";
import { cellCount, clip, fitLine, type Size, styledWidth } from "./styled-text.ts";

/** One line of a plot: points in the order in which they are joined. A value that is not finite, or below 0, is a gap. */
export interface PlotSeries extends PlotPoints {
  readonly name: string;
}

/** Lines over one pair of axes; y begins at 0. */
export interface LinePlot extends AxisLabels {
  readonly series: readonly PlotSeries[];
  /** A value of y that is always in the plot, as a dashed line. */
  readonly limit?: { readonly value: number; readonly name: string } | undefined;
}

/** The plot: a title, an axis with labels at the left and one below, and a line that names the series. */
export function linePlot(plot: LinePlot, size: Size, palette: Palette): string[] {
  const [width, height] = [cellCount(size.width), cellCount(size.height)];
  if (width === 0 || height === 0) return [];
  const { ellipsis } = palette.glyphs;
  const limit = plot.limit !== undefined && plot.limit.value >= 0 && plot.limit.value <= 1e300 ? plot.limit : undefined;
  const range = plotRange(plot.series, limit?.value);
  if (range === null) return [fitLine("no points to plot", width, ellipsis).trimEnd()];
  const title = height >= linesFor.title ? [palette.dim(fitLine(oneLine(plot.yLabel), width, ellipsis).trimEnd())] : [];
  const below = height >= linesFor.axis;
  const rows = height - title.length - (below ? 2 : 0) - (height >= linesFor.legend ? 1 : 0);
  const { top, ticks } = valueAxis(range.highY, rows, (value) => oneLine(plot.formatY(value)));
  const labels = gutterWidth(ticks);
  const gutter = width - labels >= plotColumnsMin ? labels : 0;
  const columns = width - gutter;
  // Without colours the lines of several series are told apart by their signs alone.
  const braille = palette.glyphs.braille && (palette.depth !== "none" || plot.series.length < 2);
  const canvas = makeCanvas(columns, rows, braille);
  const dotX = (value: number) => Math.round(range.positionX(value) * (columns * canvas.across - 1));
  const dotY = (value: number) => Math.round((1 - value / top) * (rows * canvas.down - 1));
  const rowOf = (value: number) => Math.floor(dotY(value) / canvas.down);
  const columnOf = (value: number) => Math.floor(dotX(value) / canvas.across);
  const ends = drawSeries(plot.series, canvas, dotX, dotY, palette);
  const limitText = limit === undefined ? "" : `${oneLine(limit.name)} ${oneLine(plot.formatY(limit.value))}`.trim();
  const limitRow = limit === undefined ? -1 : rowOf(limit.value);
  const dashes = limit === undefined ? [] : limitCells(canvas, limitRow, limitText, palette);
  const axis = gutter > 0 ? leftAxis(ticks, rowOf, rows, gutter, palette) : [];
  const signs = lineSigns(palette.glyphs);
  const body = Array.from(
    { length: rows },
    (_, row) => (axis[row] ?? "") + canvasRow(canvas, row, signs, palette, ends, row === limitRow ? dashes : []),
  );
  const formatX = (value: number) => oneLine(plot.formatX(value));
  const x = { low: range.lowX, high: range.highX, format: formatX };
  const bottom = below ? bottomAxis(x, columnOf, columns, gutter, palette) : [];
  const items = plot.series.map(({ name }, i) => legendItem(i, signAt(signs, i), oneLine(name), palette));
  if (limit !== undefined) items.push(palette.bad(`${dash(palette)} ${limitText}`));
  const last = labelledLegend(items, below ? oneLine(plot.xLabel) : "", width, palette);
  return clip([...title, ...body, ...bottom, ...(height >= linesFor.legend ? [last] : [])], { width, height });
}

const dash = ({ glyphs }: Palette) => (glyphs.braille ? "╌" : "-");

/** Draws every series, and returns signs by cell for the ends of several: no line is told by its colour alone. */
function drawSeries(
  series: readonly PlotSeries[],
  canvas: Canvas,
  dotX: (value: number) => number,
  dotY: (value: number) => number,
  palette: Palette,
): ReadonlyMap<number, string> {
  const ends = new Map<number, { readonly series: number; readonly sign: string }>();
  for (const [i, points] of series.entries()) {
    let before: readonly [number, number] | null = null;
    let last: number | null = null;
    for (const point of plotPoints(points)) {
      const dot = point === null ? null : ([dotX(point[0]), dotY(point[1])] as const);
      if (dot !== null) {
        drawLine(canvas, before ?? dot, dot, i);
        last = Math.floor(dot[1] / canvas.down) * canvas.columns + Math.floor(dot[0] / canvas.across);
      }
      before = dot;
    }
    if (last !== null) ends.set(last, { series: i, sign: signAt(lineSigns(palette.glyphs), i) });
  }
  if (series.length < 2 || canvas.across === 1) return new Map();
  for (const [cell, end] of ends) canvas.owner[cell] = end.series + 1;
  return new Map([...ends].map(([cell, { sign }]) => [cell, sign]));
}

/** The dashed line of a limit, with its name where enough cells beside each other are free. */
function limitCells({ columns, owner }: Canvas, row: number, text: string, palette: Palette): (string | undefined)[] {
  const cells: (string | undefined)[] = Array.from({ length: columns }, () => dash(palette));
  const needed = styledWidth(text) + 2;
  let free = 0;
  for (let column = 0; column < columns; column += 1) {
    free = owner[row * columns + column] === 0 ? free + 1 : 0;
    if (free < needed) continue;
    cells[column - needed + 1] = ` ${text} `;
    cells.fill("", column - needed + 2, column + 1);
    return cells;
  }
  return cells;
}
