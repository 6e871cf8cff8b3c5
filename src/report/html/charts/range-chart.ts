import { element } from "../markup.ts";
import { type Axis, layAxis } from "./axis.ts";
import { type Chart, coordinate } from "./chart.ts";

/** How far a figure moves to both sides of what it is. */
export interface RangeRow {
  readonly name: string;
  /** What the figure becomes with less and with more of the input, and how the two are told. */
  readonly low: { readonly value: number; readonly text: string };
  readonly high: { readonly value: number; readonly text: string };
}

export interface RangeChart extends Pick<Chart, "title" | "caption" | "legend" | "data"> {
  readonly base: number;
  readonly rows: readonly RangeRow[];
  readonly axis: { readonly label: string; format(value: number): string };
}

const width = 400;
const rowHeight = 36;
const top = 4;

/** Bars to both sides of an upright line, the widest first: a tornado. */
export function rangeChart({ base, rows, axis: spec, ...rest }: RangeChart): Chart {
  const bottom = top + rows.length * rowHeight;
  const values = [base, ...rows.flatMap(({ low, high }) => [low.value, high.value])];
  const axis = layAxis({ ...spec, kind: "linear", fromZero: false, values }, 8, width - 8);
  return {
    ...rest,
    width,
    height: bottom + 40,
    drawing: element(
      "g",
      {},
      rows.map(({ name, low, high }, row) => {
        const y = top + row * rowHeight;
        return element(
          "g",
          {},
          element("title", {}, `${name}: ${low.text}, ${high.text}`),
          element("text", { x: 8, y: y + 12 }, name),
          side(axis, base, low.value, y + 17, "s0"),
          side(axis, base, high.value, y + 17, "s1"),
        );
      }),
      element("path", { class: "frame", d: `M${coordinate(axis.at(base))} ${top}V${bottom}` }),
      element("path", { class: "frame", d: `M8 ${bottom}H${width - 8}` }),
      axis.ticks.map(({ at, text }) =>
        element("text", { x: coordinate(at), y: bottom + 14, "text-anchor": "middle" }, text),
      ),
      element("text", { class: "name", x: width / 2, y: bottom + 31, "text-anchor": "middle" }, spec.label),
    ),
  };
}

function side(axis: Axis, base: number, value: number, y: number, colour: string) {
  const [from, to] = [axis.at(base), axis.at(value)].sort((a, b) => a - b) as [number, number];
  return element("rect", { class: `fill ${colour}`, x: coordinate(from), y, width: coordinate(to - from), height: 12 });
}
