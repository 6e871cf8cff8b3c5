import { oneLine } from "../../core/printable.ts";
import { formatCount } from "../../core/units.ts";
import type { ExpertDetails } from "../../forecast/details/expert-details.ts";
import { heatLayout } from "../../report/widgets/heat-layout.ts";
import { heatMap } from "../../report/widgets/heat-map.ts";
import type { Palette } from "../../report/widgets/palette.ts";
import { tableFrom, visibleRows } from "../../report/widgets/scroll-table.ts";
import { beside, clip, fitLine, type Size } from "../../report/widgets/styled-text.ts";
import { moved, moveKeys, sidewaysKeys } from "../keys/global-keys.ts";
import { type Core, currentRun } from "../state/core.ts";
import { isWide } from "../view/layout.ts";
import {
  cellText,
  type ExpertAxis,
  type ExpertMetric,
  expertMap,
  metricNote,
  metricsOf,
  times,
} from "./experts-metric.ts";
import { hottestLine, hottestLines, imbalancePlot, layerTable } from "./experts-panels.ts";
import { placementLines } from "./experts-placements.ts";
import { type ExpertPool, expertsMissing, meanOverRun, poolShown } from "./experts-pool.ts";
import { fewDetailsWords } from "./run-words.ts";
import { type Act, type Screen, screen } from "./screen.ts";

/** What the experts screen remembers. */
export interface ExpertsState {
  readonly show: "map" | "layers" | "placements";
  /** null: ranks where there are several. */
  readonly axis: ExpertAxis | null;
  readonly metric: ExpertMetric;
  readonly row: number;
  readonly column: number;
  /** The row at the top. */
  readonly from: number;
  /** Whether each layer has a line of its own. */
  readonly zoomed: boolean;
  readonly pool: number;
}

type Counted = ExpertPool & { readonly details: ExpertDetails };

const isCounted = (pool: ExpertPool): pool is Counted => pool.details !== null;

const axisOf = (own: ExpertsState, { details }: Counted): ExpertAxis =>
  own.axis ?? (details.ranks > 1 ? "ranks" : "experts");

/** The metric that is shown: the chosen one, or the first where the pool or the axis lacks that. */
function metricOf(own: ExpertsState, pool: Counted): ExpertMetric {
  const metrics = metricsOf(pool, axisOf(own, pool));
  return metrics.includes(own.metric) ? own.metric : metrics[0]!;
}

/** The cell at the cursor, inside whatever map is shown. */
function cursorOf({ row, column }: ExpertsState, pool: ExpertPool, columns: number): { row: number; column: number } {
  const within = (at: number, count: number) => Math.max(0, Math.min(count - 1, at));
  return { row: within(row, pool.figures.layers.length), column: within(column, columns) };
}

function act(own: ExpertsState, action: string, core: Core, area: Size): Act<ExpertsState> {
  const shown = poolShown(core, own.pool);
  if (shown === null) return {};
  const { pool, count } = shown;
  const say = (text: string): Act<ExpertsState> => ({ intents: [{ kind: "say", text, tone: "warn" }] });
  if (action === "pool")
    return count > 1
      ? { own: { ...own, pool: (own.pool + 1) % count, row: 0, column: 0, from: 0 } }
      : say("it has one pool");
  const rows = pool.figures.layers.length;
  if (!isCounted(pool)) {
    const row = moved(cursorOf(own, pool, 1).row, action, rows, visibleRows(rows, area.height - 3));
    return row === own.row ? say(fewDetailsWords(currentRun(core)!)) : { own: { ...own, row } };
  }
  const axis = axisOf(own, pool);
  const columns = axis === "ranks" ? pool.details.ranks : pool.details.experts;
  const at = cursorOf(own, pool, columns);
  switch (action) {
    case "axis":
      return { own: { ...own, show: "map", axis: axis === "ranks" ? "experts" : "ranks", column: 0 } };
    case "metric": {
      const metrics = metricsOf(pool, axis);
      return {
        own: { ...own, show: "map", metric: metrics[(metrics.indexOf(metricOf(own, pool)) + 1) % metrics.length]! },
      };
    }
    case "zoom":
      return { own: { ...own, show: "map", zoomed: !own.zoomed } };
    case "layers":
    case "placements":
      return { own: { ...own, show: own.show === action ? "map" : action } };
    case "left":
    case "right":
      return {
        own: { ...own, ...at, column: Math.max(0, Math.min(columns - 1, at.column + (action === "left" ? -1 : 1))) },
      };
    default: {
      const visible = visibleLayers(own, pool, area);
      const row = moved(at.row, action, rows, visible);
      return { own: { ...own, ...at, row, from: tableFrom(row, own.from, rows, visible) } };
    }
  }
}

/** Lines above the body: what is shown, and how even it was. */
const headHeight = 3;

/** Room of the heat map; the cell at the cursor in words stands below it. */
const mapSize = ({ width, height }: Size): Size =>
  isWide({ width, height })
    ? { width: Math.floor(width * 0.58), height: height - headHeight - 2 }
    : { width, height: height - headHeight - 4 };

function visibleLayers(own: ExpertsState, pool: Counted, area: Size): number {
  if (own.show !== "map") return visibleRows(pool.details.layers, area.height - headHeight);
  const { heat } = expertMap(pool, axisOf(own, pool), "copies");
  return heatLayout(heat, mapSize(area), { rowFrom: 0, columnFrom: 0, rowsPerLine: own.zoomed ? 1 : "fit" })
    .visibleRows;
}

function view(own: ExpertsState, core: Core, area: Size, palette: Palette): readonly string[] {
  return clip(lines(own, core, area, palette), area);
}

function lines(own: ExpertsState, core: Core, area: Size, palette: Palette): readonly string[] {
  const { pool, count } = poolShown(core, own.pool)!;
  const { width, height } = area;
  const head = headLines(pool, count, width, palette);
  const rest = { width, height: Math.max(0, height - head.length) };
  if (!isCounted(pool)) {
    const at = { row: cursorOf(own, pool, 1).row, from: own.from };
    return [
      ...head,
      palette.dim(fitLine(fewDetailsWords(currentRun(core)!), width, palette.glyphs.ellipsis).trimEnd()),
      ...layerTable(pool, { width, height: rest.height - 1 }, palette, at),
    ];
  }
  const axis = axisOf(own, pool);
  const at = { ...cursorOf(own, pool, axis === "ranks" ? pool.details.ranks : pool.details.experts), from: own.from };
  if (own.show === "placements") return [...head, ...placementLines(pool, rest, palette, at)];
  if (own.show === "layers") return [...head, ...layerTable(pool, rest, palette, at)];
  return mapView(own, pool, axis, head, area, palette);
}

function mapView(
  own: ExpertsState,
  pool: Counted,
  axis: ExpertAxis,
  head: readonly string[],
  area: Size,
  palette: Palette,
): string[] {
  const { details } = pool;
  const { width, height } = area;
  const metric = metricOf(own, pool);
  const { heat, title } = expertMap(pool, axis, metric);
  const at = cursorOf(own, pool, heat.columns);
  const size = mapSize(area);
  const rowsPerLine = own.zoomed ? 1 : ("fit" as const);
  const visible = visibleLayers(own, pool, area);
  const rowFrom = tableFrom(at.row, own.from, details.layers, visible);
  const note = metricNote(metric, pool);
  const top = note === null ? head : [...head.slice(0, 2), palette.dim(fitLine(note, width, palette.glyphs.ellipsis))];
  const map = [
    palette.bold(title),
    ...heatMap(heat, size, palette, { rowFrom, columnFrom: 0, rowsPerLine, cursor: at }),
  ];
  const cell = palette.accent(cellText(pool, axis, at.row, at.column));
  if (!isWide(area)) {
    const course = details.ranks > 1 ? imbalancePlot(details, { width, height: 1 }, palette) : [];
    return [...top, ...map, cell, hottestLine(details, palette), ...course];
  }
  const left = size.width;
  const side = { width: width - left - 3, height: height - head.length - 1 };
  const plotHeight = details.ranks > 1 ? Math.min(12, Math.floor(side.height / 3)) : 0;
  const hottestHeight = Math.min(10, Math.floor(side.height / 4));
  const tableHeight = side.height - plotHeight - hottestHeight - 2;
  const panels = [
    ...filled(
      layerTable(pool, { width: side.width, height: tableHeight }, palette, { row: at.row, from: own.from }),
      tableHeight,
    ),
    "",
    ...filled(hottestLines(details, { width: side.width, height: hottestHeight }, palette), hottestHeight),
    "",
    ...imbalancePlot(details, { width: side.width, height: plotHeight }, palette),
  ];
  return [...top, ...beside(map, panels, left, 3), cell];
}

const filled = (lines: readonly string[], height: number): string[] =>
  Array.from({ length: Math.max(0, height) }, (_, i) => lines[i] ?? "");

/** What is shown, and how even it was. */
function headLines(
  { name, placement, figures, details, soFar }: ExpertPool,
  pools: number,
  width: number,
  palette: Palette,
): string[] {
  const { layers } = figures;
  const worst = layers.reduce((most, { imbalance }, i) => (imbalance > layers[most]!.imbalance ? i : most), 0);
  const of =
    details === null
      ? ""
      : ` x ${formatCount(details.experts)} experts on ${formatCount(details.ranks)} ${details.ranks === 1 ? "rank" : "ranks"}`;
  const pool = pools > 1 ? `pool ${oneLine(name)} (p: next of ${formatCount(pools)})  ` : "";
  const overRun =
    details === null ? "" : `, ${times(meanOverRun(details))} over the run${soFar === null ? "" : " so far"}`;
  const balance =
    figures.rankLoad.length > 1
      ? [
          `heaviest rank ${palette.bold(times(figures.imbalance))} the mean in a step${overRun}; worst L${worst} ${times(layers[worst]!.imbalance)}`,
          palette.dim("a layer waits for its heaviest rank: 1x is even. L0 is the first MoE layer"),
        ]
      : [
          `hottest expert ${palette.bold(times(figures.expertSkew))} the mean of its layer, mean of layers`,
          palette.dim("one rank holds all experts: nothing waits for a heavier one. L0 is the first MoE layer"),
        ];
  return [
    `${soFar === null ? "" : `${soFar}  `}${palette.bold(`${pool}${formatCount(layers.length)} MoE layers${of}`)}  ${palette.dim(`placement ${oneLine(placement)}`)}`,
    ...balance,
  ].map((line) => fitLine(line, width, palette.glyphs.ellipsis).trimEnd());
}

/** What each expert and each rank did. */
export const expertsScreen = screen<ExpertsState>({
  id: "experts",
  title: "Experts",
  start: { show: "map", axis: null, metric: "load", row: 0, column: 0, from: 0, zoomed: false, pool: 0 },
  keys: [
    { action: "axis", keys: ["x"], help: "ranks / experts" },
    { action: "metric", keys: ["m"], help: "next figure" },
    { action: "zoom", keys: ["z"], help: "a line each" },
    { action: "layers", keys: ["t"], help: "table" },
    { action: "placements", keys: ["v"], help: "placements" },
    { action: "pool", keys: ["p"], help: "next pool", quiet: true },
    ...moveKeys,
    ...sidewaysKeys,
  ],
  words: [
    ["balance", "how much heavier the heaviest rank or expert is than the mean: others wait for it"],
    ["copy", "one of several places that hold the same expert"],
    ["rank", "the devices that hold one part of the experts"],
  ],
  looks: true,
  exports: "details",
  missing: expertsMissing,
  act,
  view,
} satisfies Screen<ExpertsState>);
