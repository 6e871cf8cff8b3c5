import { oneLine } from "../../core/printable.ts";
import { labelledLegend, legendItem } from "./legend.ts";
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
import { type Canvas, canvasRow, makeCanvas, setDot } from "./plot-canvas.ts";
import { cellCount, clip, fitLine, type Size } from "./styled-text.ts";

/** Points of one kind. What is not finite, or below 0, is left out; the shorter of the two lists counts. */
export interface DotSeries {
  readonly name: string;
  readonly x: ArrayLike<number>;
  readonly y: ArrayLike<number>;
  /** One cell, which stands for a point; null: a dot, of which a cell holds eight. */
  readonly sign: string | null;
}

/** Points over one pair of axes that begin at 0. In a cell the last of the series is seen. */
export interface DotPlot extends AxisLabels {
  readonly series: readonly DotSeries[];
}

/** Largest numbers that are drawn. */
const most = 1e300;

const isDrawn = (x: number, y: number): boolean => x >= 0 && y >= 0 && x <= most && y <= most;

/** The plot: a title, an axis with labels at the left and one below, and a line that names the kinds of points. */
export function dotPlot(plot: DotPlot, size: Size, palette: Palette): string[] {
  const [width, height] = [cellCount(size.width), cellCount(size.height)];
  if (width === 0 || height === 0) return [];
  const { ellipsis } = palette.glyphs;
  const range = rangeOf(plot.series);
  if (range === null) return [fitLine("no points to plot", width, ellipsis).trimEnd()];
  const title = height >= linesFor.title ? [palette.dim(fitLine(oneLine(plot.yLabel), width, ellipsis).trimEnd())] : [];
  const below = height >= linesFor.axis;
  const rows = height - title.length - (below ? 2 : 0) - (height >= linesFor.legend ? 1 : 0);
  const { top, ticks } = valueAxis(range.y, rows, (value) => oneLine(plot.formatY(value)));
  const labels = gutterWidth(ticks);
  const gutter = width - labels >= plotColumnsMin ? labels : 0;
  const columns = width - gutter;
  const canvas = makeCanvas(columns, rows, palette.glyphs.braille);
  const dotX = (value: number) => Math.round((value / range.x) * (columns * canvas.across - 1));
  const dotY = (value: number) => Math.round((1 - value / top) * (rows * canvas.down - 1));
  const over = drawSeries(plot.series, canvas, dotX, dotY);
  const axis =
    gutter > 0 ? leftAxis(ticks, (value) => Math.floor(dotY(value) / canvas.down), rows, gutter, palette) : [];
  const signs = plot.series.map((series) => signOf(series, canvas));
  const body = Array.from(
    { length: rows },
    (_, row) => (axis[row] ?? "") + canvasRow(canvas, row, signs, palette, over, []),
  );
  const x = { low: 0, high: range.x, format: (value: number) => oneLine(plot.formatX(value)) };
  const columnOf = (value: number) => Math.floor(dotX(value) / canvas.across);
  const bottom = below ? bottomAxis(x, columnOf, columns, gutter, palette) : [];
  const items = plot.series.map(({ name }, i) => legendItem(i, signs[i] ?? "", oneLine(name), palette));
  const last = labelledLegend(items, below ? oneLine(plot.xLabel) : "", width, palette);
  return clip([...title, ...body, ...bottom, ...(height >= linesFor.legend ? [last] : [])], { width, height });
}

/** The largest values; null where no point can be drawn. */
function rangeOf(series: readonly DotSeries[]): { readonly x: number; readonly y: number } | null {
  let [highX, highY] = [-1, -1];
  for (const { x, y } of series)
    for (let i = Math.min(x.length, y.length) - 1; i >= 0; i -= 1) {
      if (!isDrawn(x[i]!, y[i]!)) continue;
      highX = Math.max(highX, x[i]!);
      highY = Math.max(highY, y[i]!);
    }
  return highX < 0 ? null : { x: highX > 0 ? highX : 1, y: highY > 0 ? highY : 1 };
}

/** What stands for a point in the legend, and in cells that have no dots. */
const signOf = ({ sign }: DotSeries, { across }: Canvas): string => sign ?? (across === 2 ? "·" : ".");

/** Sets the dots of every point, and returns the signs of cells whose last series has one. */
function drawSeries(
  series: readonly DotSeries[],
  canvas: Canvas,
  dotX: (value: number) => number,
  dotY: (value: number) => number,
): ReadonlyMap<number, string> {
  const over = new Map<number, string>();
  for (const [i, { x, y, sign }] of series.entries()) {
    const count = Math.min(x.length, y.length);
    for (let point = 0; point < count; point += 1) {
      if (!isDrawn(x[point]!, y[point]!)) continue;
      const [across, down] = [dotX(x[point]!), dotY(y[point]!)];
      setDot(canvas, across, down, i);
      if (over.size === 0 && sign === null) continue;
      const cell = Math.floor(down / canvas.down) * canvas.columns + Math.floor(across / canvas.across);
      if (sign === null) over.delete(cell);
      else over.set(cell, sign);
    }
  }
  return over;
}
