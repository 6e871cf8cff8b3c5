import { formatNumber } from "../core/units.ts";
import { bandRatios, type LogAxis, logAxis, plottable, type ScatterPlot } from "./scatter.ts";

/** Cells of the plotted area. A cell is about twice as high as it is wide, so this is nearly a square. */
interface Area {
  readonly columns: number;
  readonly rows: number;
}

const columnsMax = 60;
const columnsPerRow = 2.3;
/** Cells for the axis and its labels. */
const beside = 12;

/** Marks of cells by the number of points in them. */
const marks = [
  { from: 5, mark: "@" },
  { from: 2, mark: "O" },
  { from: 1, mark: "o" },
] as const;

const legend = "o one point, O two to four, @ more; / exact, . 20% off";

/** The plot as lines of plain characters, at most `width` or 72 cells wide. */
export function scatterText(plot: ScatterPlot, width: number = columnsMax + beside): string[] {
  const axis = logAxis(plot);
  if (axis === null) return ["no points"];
  const columns = Math.min(columnsMax, width - beside);
  const area: Area = { columns, rows: Math.round(columns / columnsPerRow) };
  const { rows } = area;
  const grid = lineGrid(axis, area);
  const counts = pointCounts(plot, axis, area);
  const ticks = spacedTicks(axis);
  const labels = ticks.map((tick) => ({ text: formatNumber(tick), row: cell(axis.at(tick), rows) }));
  const gutter = Math.max(...labels.map(({ text }) => text.length));
  const body = Array.from({ length: rows }, (_, fromTop) => {
    const row = rows - 1 - fromTop;
    const label = labels.find((candidate) => candidate.row === row)?.text ?? "";
    const line = Array.from({ length: columns }, (_, column) => {
      const count = counts[row * columns + column] ?? 0;
      return marks.find(({ from }) => count >= from)?.mark ?? grid[row * columns + column] ?? " ";
    });
    return `${label.padStart(gutter)} ${label === "" ? "|" : "+"}${line.join("")}`.trimEnd();
  });
  return [
    `forecast ${plot.quantity}, ${plot.unit}`,
    ...body,
    `${" ".repeat(gutter + 1)}+${bottomLine(axis, ticks, columns)}`,
    tickLabels(axis, ticks, columns, gutter + 2),
    `${" ".repeat(gutter + 2)}measured ${plot.quantity}, ${plot.unit}`,
    legend,
  ];
}

/** Cell of a position; the upper edge belongs to the last one. */
const cell = (position: number, count: number): number => Math.min(count - 1, Math.floor(position * count));

/** The diagonal and the lines 20 % off it. */
function lineGrid(axis: LogAxis, { columns, rows }: Area): string[] {
  const grid = Array.from({ length: columns * rows }, () => " ");
  for (let column = 0; column < columns; column += 1) {
    const measured = axis.valueAt((column + 0.5) / columns);
    const draw = (ratio: number, mark: string) => {
      const position = axis.at(measured * ratio);
      if (position >= 0 && position <= 1) grid[cell(position, rows) * columns + column] = mark;
    };
    for (const ratio of bandRatios) draw(ratio, ".");
    draw(1, "/");
  }
  return grid;
}

function pointCounts(plot: ScatterPlot, axis: LogAxis, { columns, rows }: Area): Uint32Array {
  const counts = new Uint32Array(columns * rows);
  for (const { measured, predicted } of plot.points) {
    if (!plottable(measured) || !plottable(predicted)) continue;
    counts[cell(axis.at(predicted), rows) * columns + cell(axis.at(measured), columns)]! += 1;
  }
  return counts;
}

/** Ticks that do not share a row or crowd each other: every one, or the powers of ten and the ends of a wide range. */
function spacedTicks({ ticks, low, high }: LogAxis): readonly number[] {
  if (ticks.length <= 9) return ticks;
  return ticks.filter((tick) => tick === low || tick === high || String(tick).replace(/^0\.0*|0+$/g, "") === "1");
}

function bottomLine(axis: LogAxis, ticks: readonly number[], columns: number): string {
  const line = Array.from({ length: columns }, () => "-");
  for (const tick of ticks) line[cell(axis.at(tick), columns)] = "+";
  return line.join("");
}

/** Labels below their ticks; one that would touch the one before is left out. */
function tickLabels(axis: LogAxis, ticks: readonly number[], columns: number, indent: number): string {
  let line = " ".repeat(indent);
  for (const tick of ticks) {
    const text = formatNumber(tick);
    const start = indent + cell(axis.at(tick), columns) - Math.floor((text.length - 1) / 2);
    if (start > line.trimEnd().length || line.trim() === "") line = line.padEnd(start).slice(0, start) + text;
  }
  return line;
}
