import { curveStepAfter, line } from "d3-shape";
import { element, type Markup } from "../markup.ts";
import type { AxisSpec } from "./axis.ts";
import { type Chart, coordinate, seriesClass } from "./chart.ts";
import { chartHeight, chartWidth, framed, type PlotArea, plotArea, upright } from "./plot-area.ts";

export interface LineSeries {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
  readonly dashed?: boolean;
}

/** Lines over an axis, and what stands across them. */
export interface LineChart extends Pick<Chart, "title" | "caption"> {
  readonly x: Omit<AxisSpec, "values">;
  readonly y: Omit<AxisSpec, "values">;
  readonly series: readonly LineSeries[];
  /** Each value holds from its point to the next. */
  readonly stepped?: boolean;
  /** Values of x with a name: a limit, a size in use. */
  readonly uprights?: readonly { readonly at: number; readonly name: string; readonly kind: "limit" | "mark" }[];
  /** Stretches of x with a name: an error band. */
  readonly bands?: readonly { readonly from: number; readonly to: number; readonly name: string }[];
  /** Single points with a name. */
  readonly points?: readonly { readonly x: number; readonly y: number; readonly name: string }[];
}

export function lineChart(chart: LineChart): Chart {
  const { title, caption, series, uprights = [], bands = [], points = [] } = chart;
  const all = series.flatMap((of) => of.points);
  const across = [
    ...all.map(([value]) => value),
    ...points.map(({ x }) => x),
    ...uprights.map(({ at }) => at),
    ...bands.flatMap(({ from, to }) => [from, to]),
  ];
  const area = plotArea(
    { ...chart.x, values: across },
    { ...chart.y, values: [...all.map(([, value]) => value), ...points.map(({ y }) => y)] },
  );
  return {
    title,
    caption,
    width: chartWidth,
    height: chartHeight,
    drawing: framed(area, [
      bands.map((band) => bandOf(area, band)),
      series.map((of, place) => lineOf(area, of, place, chart.stepped === true)),
      uprights.map(({ at, name, kind }) => upright(area, at, name, kind)),
      points.map(({ x, y, name }) =>
        element(
          "g",
          {},
          element("title", {}, name),
          element("circle", { class: "point", cx: coordinate(area.x.at(x)), cy: coordinate(area.y.at(y)), r: 4.5 }),
        ),
      ),
    ]),
    ...(series.length < 2
      ? {}
      : {
          legend: series.map(({ name, dashed }, place) => ({
            name,
            colour: seriesClass(place),
            dashed: dashed === true,
          })),
        }),
    data: dataOf(chart),
  };
}

function lineOf({ x, y }: PlotArea, { name, points, dashed }: LineSeries, place: number, stepped: boolean): Markup {
  const path = line<readonly [number, number]>()
    .x(([value]) => x.at(value))
    .y(([, value]) => y.at(value))
    .digits(1);
  if (stepped) path.curve(curveStepAfter);
  return element(
    "g",
    {},
    element("title", {}, name),
    element("path", { class: `line ${seriesClass(place)}${dashed === true ? " dashed" : ""}`, d: path(points) ?? "" }),
  );
}

function bandOf({ x, left, right, top, bottom }: PlotArea, band: { from: number; to: number; name: string }): Markup {
  const [from, to] = [band.from, band.to].map((value) => Math.min(right, Math.max(left, x.at(value)))) as [
    number,
    number,
  ];
  return element(
    "g",
    { class: "band" },
    element("title", {}, band.name),
    element("rect", { x: coordinate(from), y: top, width: coordinate(Math.max(0, to - from)), height: bottom - top }),
  );
}

/** One row for each x at which some series has a point. */
function dataOf({ x, y, series }: LineChart): Chart["data"] {
  const at = [...new Set(series.flatMap(({ points }) => points.map(([value]) => value)))].sort((a, b) => a - b);
  const values = series.map(({ points }) => new Map(points.map(([value, height]) => [value, height])));
  return {
    columns: [x.label, ...series.map(({ name }) => (series.length === 1 ? y.label : name))],
    rows: at.map((value) => [x.format(value), ...values.map((of) => (of.has(value) ? y.format(of.get(value)!) : ""))]),
  };
}
