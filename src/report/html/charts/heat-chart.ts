import { element, type Markup } from "../markup.ts";
import { type Chart, coordinate } from "./chart.ts";

/** A table of numbers as colours. */
export interface HeatChart extends Pick<Chart, "title" | "caption" | "data"> {
  readonly rows: readonly (readonly number[])[];
  /** Lower ends of the colours, ascending; what is below the first has the palest. */
  readonly steps: readonly number[];
  readonly stepNames: readonly string[];
  /** Names of axes, and what stands at the first and the last row and column. */
  readonly across: { readonly name: string; readonly first: string; readonly last: string };
  readonly down: { readonly name: string; readonly first: string; readonly last: string };
}

const width = 400;
const left = 44;
const top = 20;
const plotWidth = width - left - 6;
/** Cells are at most so high, and the whole at most so high. */
const cellMost = 14;
const heightMost = 260;

export function heatChart({ rows, steps, stepNames, across, down, ...rest }: HeatChart): Chart {
  const columns = rows[0]?.length ?? 0;
  const cellWidth = plotWidth / Math.max(1, columns);
  const cellHeight = Math.min(cellMost, heightMost / Math.max(1, rows.length));
  const bottom = top + rows.length * cellHeight;
  const keyTop = bottom + 34;
  const paths = steps.map((): string[] => []);
  for (const [row, values] of rows.entries()) drawRow(values, row, steps, paths);
  return {
    ...rest,
    width,
    height: Math.ceil(keyTop + 30),
    drawing: element(
      "g",
      {},
      element("rect", { class: "q0", x: left, y: top, width: plotWidth, height: coordinate(bottom - top) }),
      // A unit is a cell; a row is a line of that height along its middle.
      element(
        "g",
        {
          class: "heat",
          transform: `translate(${left} ${coordinate(top + cellHeight / 2)}) scale(${fine(cellWidth)} ${fine(cellHeight)})`,
        },
        paths.map((path, step) =>
          step === 0 || path.length === 0 ? null : element("path", { class: `q${step}`, d: path.join("") }),
        ),
      ),
      element("text", { class: "name", x: 2, y: 12 }, down.name),
      element(
        "text",
        { x: left - 6, y: coordinate(top + Math.min(12, cellHeight + 4)), "text-anchor": "end" },
        down.first,
      ),
      rows.length > 1 ? element("text", { x: left - 6, y: coordinate(bottom), "text-anchor": "end" }, down.last) : null,
      element("text", { x: left, y: coordinate(bottom + 14) }, across.first),
      element("text", { x: left + plotWidth, y: coordinate(bottom + 14), "text-anchor": "end" }, across.last),
      element(
        "text",
        { class: "name", x: left + plotWidth / 2, y: coordinate(bottom + 14), "text-anchor": "middle" },
        across.name,
      ),
      keyOf(stepNames, keyTop),
    ),
  };
}

const fine = (value: number): number => Math.round(value * 1e4) / 1e4;

/** Neighbours of one colour are one line. */
function drawRow(values: readonly number[], row: number, steps: readonly number[], paths: readonly string[][]): void {
  const stepAt = (value: number): number => {
    let step = 0;
    while (step + 1 < steps.length && value >= steps[step + 1]!) step++;
    return step;
  };
  for (let from = 0; from < values.length; ) {
    const step = stepAt(values[from]!);
    let to = from + 1;
    while (to < values.length && stepAt(values[to]!) === step) to++;
    paths[step]!.push(`M${from} ${row}h${to - from}`);
    from = to;
  }
}

/** What the colours stand for. */
function keyOf(names: readonly string[], y: number): Markup {
  const each = plotWidth / names.length;
  return element(
    "g",
    {},
    names.map((name, step) => [
      element("rect", {
        class: `q${step}`,
        x: coordinate(left + step * each),
        y: coordinate(y),
        width: coordinate(each),
        height: 8,
      }),
      element("text", { x: coordinate(left + step * each), y: coordinate(y + 20) }, name),
    ]),
  );
}
