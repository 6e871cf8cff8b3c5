import { oneLine } from "../core/printable.ts";
import { formatNumber } from "../core/units.ts";

import { bandRatios, type LogAxis, logAxis, plottable, type ScatterPlot } from "./scatter.ts";

/** Side of the plotted square and margins around it, in user units (pixels at scale 1). */
const side = 560;
const margin = { left: 64, top: 40, bottom: 56, right: 200 } as const;
const width = margin.left + side + margin.right;
const height = margin.top + side + margin.bottom;

/** Okabe and Ito's palette, which colour-blind readers can tell apart; beyond its length marks are hollow. */
const palette = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000"] as const;

/** The plot as an SVG document; a point tells its label when pointed at. */
export function scatterSvg(plot: ScatterPlot, title: string): string {
  const axis = logAxis(plot);
  const series = [...new Set(plot.points.map((point) => point.series))].sort();
  return `${[
    `<?xml version="1.0" encoding="UTF-8"?>`,
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="sans-serif" font-size="12">`,
    `<title>${xml(title)}</title>`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    `<text x="${margin.left}" y="24" font-size="15">${xml(title)}</text>`,
    ...(axis === null ? [`<text x="${margin.left}" y="60">no points</text>`] : drawing(plot, axis, series)),
    "</svg>",
  ].join("\n")}\n`;
}

function drawing(plot: ScatterPlot, axis: LogAxis, series: readonly string[]): string[] {
  const x = (value: number) => coordinate(margin.left + side * axis.at(value));
  const y = (value: number) => coordinate(margin.top + side * (1 - axis.at(value)));
  const [left, right, top, bottom] = [margin.left, margin.left + side, margin.top, margin.top + side];
  const grid = axis.ticks.flatMap((tick) => [
    `<path d="M${x(tick)} ${top}V${bottom}M${left} ${y(tick)}H${right}" stroke="#e2e2e2"/>`,
    `<text x="${x(tick)}" y="${bottom + 18}" text-anchor="middle">${formatNumber(tick)}</text>`,
    `<text x="${left - 8}" y="${y(tick)}" dy="4" text-anchor="end">${formatNumber(tick)}</text>`,
  ]);
  const line = (ratio: number, stroke: string) => {
    const from = Math.max(axis.low, axis.low / ratio);
    const to = Math.min(axis.high, axis.high / ratio);
    return `<path d="M${x(from)} ${y(from * ratio)}L${x(to)} ${y(to * ratio)}" ${stroke}/>`;
  };
  const points = plot.points.filter(({ measured, predicted }) => plottable(measured) && plottable(predicted));
  return [
    ...grid,
    `<rect x="${left}" y="${top}" width="${side}" height="${side}" fill="none" stroke="#444444"/>`,
    ...bandRatios.map((ratio) => line(ratio, `stroke="#888888" stroke-dasharray="4 4"`)),
    line(1, `stroke="#444444"`),
    ...points.map(
      (point) =>
        `<circle cx="${x(point.measured)}" cy="${y(point.predicted)}" r="3" ${markOf(point.series, series)}>` +
        `<title>${xml(point.label)}</title></circle>`,
    ),
    `<text x="${left + side / 2}" y="${bottom + 42}" text-anchor="middle">measured ${xml(plot.quantity)}, ${xml(plot.unit)}</text>`,
    `<text transform="translate(18 ${top + side / 2}) rotate(-90)" text-anchor="middle">forecast ${xml(plot.quantity)}, ${xml(plot.unit)}</text>`,
    ...series.flatMap((name, i) => {
      const at = top + 12 + 20 * i;
      return [
        `<circle cx="${right + 18}" cy="${at}" r="5" ${markOf(name, series)}/>`,
        `<text x="${right + 30}" y="${at}" dy="4">${xml(name)}</text>`,
      ];
    }),
    `<text x="${right + 12}" y="${bottom}">dashed: 20 % off</text>`,
  ];
}

/** How the points of a series look. */
function markOf(name: string, series: readonly string[]): string {
  const at = series.indexOf(name);
  const colour = palette[at % palette.length] ?? palette[0];
  const hollow = Math.floor(at / palette.length) % 2 === 1;
  return hollow ? `fill="none" stroke="${colour}"` : `fill="${colour}" fill-opacity="0.6"`;
}

const coordinate = (value: number): string => String(Math.round(value * 10) / 10);

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&apos;",
};

const xml = (text: string): string => oneLine(text).replace(/[&<>"']/g, (mark) => entities[mark] ?? mark);
