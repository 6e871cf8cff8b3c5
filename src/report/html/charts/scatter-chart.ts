import { line } from "d3-shape";
import { element } from "../markup.ts";
import type { AxisSpec } from "./axis.ts";
import { type Chart, coordinate, seriesClass } from "./chart.ts";
import { chartHeight, chartWidth, framed, plotArea } from "./plot-area.ts";

export interface ScatterPoint {
  readonly x: number;
  readonly y: number;
  readonly name: string;
  /** Id of the table row that a click leads to. */
  readonly row?: string;
  /** Of the points that no other beats in both. */
  readonly best: boolean;
  readonly series: string;
}

export interface ScatterChart extends Pick<Chart, "title" | "caption"> {
  readonly x: Omit<AxisSpec, "values">;
  readonly y: Omit<AxisSpec, "values">;
  readonly points: readonly ScatterPoint[];
}

/** Points of two figures, with a line through those of the frontier. */
export function scatterChart({ title, caption, x, y, points }: ScatterChart): Chart {
  const area = plotArea(
    { ...x, values: points.map((point) => point.x) },
    { ...y, values: points.map((point) => point.y) },
  );
  const names = [...new Set(points.map(({ series }) => series))];
  const frontier = points.filter(({ best }) => best).sort((a, b) => a.x - b.x || b.y - a.y);
  const path = line<ScatterPoint>()
    .x((point) => area.x.at(point.x))
    .y((point) => area.y.at(point.y))
    .digits(1);
  return {
    title,
    caption,
    width: chartWidth,
    height: chartHeight,
    drawing: framed(area, [
      frontier.length < 2 ? null : element("path", { class: "frontier", d: path(frontier) ?? "" }),
      points.map((point) => {
        const mark = element(
          "circle",
          {
            class: `mark ${seriesClass(names.indexOf(point.series))}${point.best ? " best" : ""}`,
            cx: coordinate(area.x.at(point.x)),
            cy: coordinate(area.y.at(point.y)),
            r: point.best ? 5 : 3.5,
          },
          element("title", {}, `${point.name}: ${x.format(point.x)} ${x.label}, ${y.format(point.y)} ${y.label}`),
        );
        return point.row === undefined ? mark : element("a", { href: `#${point.row}`, "aria-label": point.name }, mark);
      }),
    ]),
    ...(names.length < 2 ? {} : { legend: names.map((name, place) => ({ name, colour: seriesClass(place) })) }),
    data: {
      columns: ["", x.label, y.label, "frontier"],
      rows: points.map((point) => [point.name, x.format(point.x), y.format(point.y), point.best ? "yes" : ""]),
    },
  };
}
