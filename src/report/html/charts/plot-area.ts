import { type Child, element, type Markup } from "../markup.ts";
import { type Axis, type AxisSpec, layAxis } from "./axis.ts";
import { coordinate } from "./chart.ts";

/** Charts are drawn this wide, which a telephone shows unscaled. */
export const chartWidth = 400;
export const chartHeight = 240;
const margin = { left: 52, right: 22, top: 22, bottom: 38 } as const;

/** A rectangle between two axes. */
export interface PlotArea {
  readonly x: Axis;
  readonly y: Axis;
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

export function plotArea(x: AxisSpec, y: AxisSpec): PlotArea {
  const [left, right] = [margin.left, chartWidth - margin.right];
  const [top, bottom] = [margin.top, chartHeight - margin.bottom];
  return { x: layAxis(x, left, right), y: layAxis(y, bottom, top), left, right, top, bottom };
}

/** Grid, ticks and names of the axes, and what is drawn between them. */
export function framed({ x, y, left, right, top, bottom }: PlotArea, content: Child): Markup {
  return element(
    "g",
    {},
    element("path", {
      class: "grid",
      d: [
        ...x.ticks.map(({ at }) => `M${coordinate(at)} ${top}V${bottom}`),
        ...y.ticks.map(({ at }) => `M${left} ${coordinate(at)}H${right}`),
      ].join(""),
    }),
    content,
    element("path", { class: "frame", d: `M${left} ${top}V${bottom}H${right}` }),
    x.ticks.map(({ at, text }) =>
      element("text", { x: coordinate(at), y: bottom + 14, "text-anchor": "middle" }, text),
    ),
    y.ticks.map(({ at, text }) => element("text", { x: left - 6, y: coordinate(at + 4), "text-anchor": "end" }, text)),
    element("text", { class: "name", x: (left + right) / 2, y: bottom + 31, "text-anchor": "middle" }, x.label),
    element("text", { class: "name", x: 2, y: 12 }, y.label),
  );
}

/** An upright line at a value, with its name beside it at the top. */
export function upright({ x, left, right, top, bottom }: PlotArea, value: number, name: string, kind: string): Markup {
  const at = coordinate(x.at(value));
  if (!(at >= left && at <= right)) return element("g");
  const beyondMiddle = at > (left + right) / 2;
  return element(
    "g",
    { class: kind },
    element("path", { class: "upright", d: `M${at} ${top}V${bottom}` }),
    element(
      "text",
      { x: at + (beyondMiddle ? -4 : 4), y: top + 10, "text-anchor": beyondMiddle ? "end" : "start" },
      name,
    ),
  );
}
