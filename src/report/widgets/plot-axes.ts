import { axisLine, labelLine, roundStep, roundTicks, type Tick, ticksBetween } from "./axis.ts";
import type { Palette } from "./palette.ts";
import { fitRight, styledWidth } from "./styled-text.ts";

/** What stands at the axes of a plot. */
export interface AxisLabels {
  readonly xLabel: string;
  readonly yLabel: string;
  readonly formatX: (value: number) => string;
  readonly formatY: (value: number) => string;
}

/** Fewer lines than these have no title, no axis below, no legend. */
export const linesFor = { title: 7, axis: 5, legend: 2 } as const;
/** Labels that would leave fewer columns than these to the plot are left out. */
export const plotColumnsMin = 12;

/** The axis of y: from 0 to a round value, with two to five labels where there is more than one row. */
export interface ValueAxis {
  /** At or above every value. */
  readonly top: number;
  readonly ticks: readonly Tick[];
}

/** Rows from one label to the next. */
const rowsPerLabel = 3;
const labelsMax = 5;

/** The axis of values from 0 to `high`, the labels of which differ from each other. */
export function valueAxis(high: number, rows: number, format: (value: number) => string): ValueAxis {
  const parts = Math.max(1, Math.min(labelsMax - 1, Math.floor((rows - 1) / rowsPerLabel)));
  for (let count = parts; count >= 1; count -= 1) {
    const step = roundStep(high, count);
    const top = Math.max(high, Math.ceil(high / step - 1e-9) * step);
    const ticks = ticksBetween(0, top, step, format);
    const distinct = new Set(ticks.map(({ text }) => text)).size === ticks.length;
    if (distinct || count === 1) return { top, ticks: rows > 1 ? ticks : [] };
  }
  return { top: high, ticks: [] };
}

/** Cells at the left for the widest label, a space and the line of the axis; 0 without labels. */
export const gutterWidth = (ticks: readonly Tick[]): number =>
  ticks.length === 0 ? 0 : ticks.reduce((most, { text }) => Math.max(most, styledWidth(text)), 0) + 2;

/** Labels and the line of the axis of y, row by row. */
export function leftAxis(
  ticks: readonly Tick[],
  rowOf: (value: number) => number,
  rows: number,
  gutter: number,
  palette: Palette,
): string[] {
  const labels = new Map(ticks.toReversed().map(({ value, text }) => [rowOf(value), text]));
  const joint = palette.glyphs.braille ? "┤" : "+";
  return Array.from({ length: rows }, (_, row) => {
    const text = labels.get(row);
    const line = text === undefined ? palette.glyphs.vertical : joint;
    return palette.dim(`${fitRight(text ?? "", gutter - 2)} ${line}`);
  });
}

/** The axis of x below a plot: its line, and labels of round values or of both ends. */
export function bottomAxis(
  range: { readonly low: number; readonly high: number; readonly format: (value: number) => string },
  columnOf: (value: number) => number,
  columns: number,
  gutter: number,
  palette: Palette,
  stepOf = roundStep,
): string[] {
  const { low, high, format } = range;
  const ends = (low === high ? [low] : [low, high]).map((value) => ({ value, text: format(value) }));
  const widest = ends.reduce((most, { text }) => Math.max(most, styledWidth(text)), 1);
  const parts = Math.max(1, Math.min(8, Math.floor(columns / (widest + 4))));
  const round = roundTicks(low, high, parts, format, stepOf);
  const ticks = round.length < 2 ? ends : round;
  const labels = ticks.map(({ value, text }) => ({ cell: columnOf(value), text }));
  const { horizontal, braille } = palette.glyphs;
  const cells = labels.map(({ cell }) => cell);
  const corner = gutter > 0 ? `${" ".repeat(gutter - 1)}${braille ? "└" : "+"}` : "";
  return [
    palette.dim(corner + axisLine(cells, columns, horizontal, braille ? "┬" : "+")),
    palette.dim((" ".repeat(gutter) + labelLine(labels, columns)).trimEnd()),
  ];
}
