import { oneLine } from "../../core/printable.ts";
import { formatCount, formatDuration, formatPercent } from "../../core/units.ts";
import { bars } from "../../report/widgets/bar-line.ts";
import { type Palette, plainPalette } from "../../report/widgets/palette.ts";
import { tableFrom, visibleRows } from "../../report/widgets/scroll-table.ts";
import { beside, clip, fitLine, type Size } from "../../report/widgets/styled-text.ts";
import { moved, moveKeys, sidewaysKeys } from "../keys/global-keys.ts";
import { type Core, currentRun } from "../state/core.ts";
import type { RunRecord } from "../state/run-record.ts";
import { isWide } from "../view/layout.ts";
import { scrolledText, scrolledTo } from "../view/scrolled.ts";
import { overviewLines } from "./cache-overview.ts";
import { cacheTitle, hitsPlot, hitTable, sizesPlot } from "./cache-plots.ts";
import { type CachePool, cacheMissing, cacheShown } from "./cache-pool.ts";
import { comingWords, fewDetailsWords } from "./run-words.ts";
import { type Act, type Screen, screen } from "./screen.ts";

const shows = ["overview", "sizes", "time", "layers"] as const;

/** What the cache screen remembers. */
export interface CacheState {
  readonly show: (typeof shows)[number];
  /** A size to look at; null: the one in use. */
  readonly slots: number | null;
  readonly row: number;
  readonly from: number;
  readonly pool: number;
}

function act(own: CacheState, action: string, core: Core, area: Size): Act<CacheState> {
  const say = (text: string): Act<CacheState> => ({ intents: [{ kind: "say", text, tone: "warn" }] });
  const shown = cacheShown(core, own.pool);
  if (shown === null) return say("the rest is being counted");
  const { pool, count } = shown;
  const { details } = pool;
  if (action === "pool") {
    if (count === 1) return say("it has one pool");
    return { own: { ...own, pool: (own.pool + 1) % count, slots: null, row: 0, from: 0 } };
  }
  if (action === "show") {
    if (details === null) return say(fewDetailsWords(currentRun(core)!));
    return { own: { ...own, show: shows[(shows.indexOf(own.show) + 1) % shows.length]!, row: 0, from: 0 } };
  }
  if (action === "left" || action === "right") {
    if (details === null || details.lru === null) return {};
    const most = details.lru.hits.length - 1;
    const step = Math.max(1, Math.round(most / 64)) * (action === "left" ? -1 : 1);
    return { own: { ...own, slots: Math.max(0, Math.min(most, (own.slots ?? details.slots) + step)) } };
  }
  // Of a text the line at the top moves, of a table the selected one.
  const height = tableHeight(own, pool, area);
  if (details === null || height === 0) {
    const count = overviewLines(pool, leftWidth(area), plainPalette).length;
    return { own: { ...own, from: scrolledTo(own.from, action, count, bodyArea(area)) } };
  }
  const visible = visibleRows(details.layers, height);
  const row = moved(Math.min(own.row, details.layers - 1), action, details.layers, visible);
  return { own: { ...own, row, from: tableFrom(row, own.from, details.layers, visible) } };
}

/** Two lines of what is shown and how it came out, and a free one. */
const headHeight = 3;

const bodyArea = ({ width, height }: Size): Size => ({ width, height: Math.max(0, height - headHeight) });

/** Cells of the overview: the left part of a wide area. */
const leftWidth = (area: Size): number => (isWide(area) ? Math.floor(area.width * 0.48) : area.width);

/** Fewer lines than these have no table of layers below the overview. */
const tableMin = 6;

/** Lines of the table of layers: all, those that the overview leaves, or none. */
function tableHeight({ show }: CacheState, pool: CachePool, area: Size): number {
  const { height } = bodyArea(area);
  if (pool.details === null) return 0;
  if (show === "layers") return height;
  if (show !== "overview" || !isWide(area)) return 0;
  const left = height - overviewLines(pool, leftWidth(area), plainPalette).length - 1;
  return left >= tableMin ? left : 0;
}

function view(own: CacheState, core: Core, area: Size, palette: Palette): readonly string[] {
  return clip(lines(own, core, area, palette), area);
}

function lines(own: CacheState, core: Core, area: Size, palette: Palette): readonly string[] {
  const { width } = area;
  const shown = cacheShown(core, own.pool);
  if (shown === null) return liveLines(currentRun(core)!, core, width, palette);
  const { pool, count } = shown;
  const { details } = pool;
  const head = headLines(pool, count, width, palette);
  const size = bodyArea(area);
  if (details === null) {
    const note = palette.dim(fitLine(fewDetailsWords(currentRun(core)!), width, palette.glyphs.ellipsis).trimEnd());
    const room = { width, height: Math.max(0, size.height - 1) };
    return [...head, note, ...scrolledText(overviewLines(pool, width, palette), own.from, room, palette)];
  }
  if (own.show === "sizes") return [...head, ...sizesPlot({ ...pool, details }, own.slots, size, palette)];
  if (own.show === "time") return [...head, ...hitsPlot(details, size, palette)];
  const at = { row: Math.min(own.row, details.layers - 1), from: own.from };
  if (own.show === "layers") return [...head, ...hitTable(details, size, palette, at)];
  const left = leftWidth(area);
  const overview = overviewLines(pool, left, palette);
  if (!isWide(area)) return [...head, ...scrolledText(overview, own.from, size, palette)];
  const height = tableHeight(own, pool, area);
  const column =
    height === 0
      ? scrolledText(overview, own.from, { width: left, height: size.height }, palette)
      : [...overview, "", ...hitTable(details, { width: left, height }, palette, at)];
  const right = width - left - 3;
  const plotHeight = Math.floor(size.height * 0.6);
  const plot = sizesPlot({ ...pool, details }, own.slots, { width: right, height: plotHeight }, palette);
  const panels = [
    ...Array.from({ length: plotHeight + 1 }, (_, i) => plot[i] ?? ""),
    ...hitsPlot(details, { width: right, height: Math.max(0, size.height - plotHeight - 1) }, palette),
  ];
  return [...head, ...beside(column, panels, left, 3)];
}

function headLines(pool: CachePool, pools: number, width: number, palette: Palette): string[] {
  const { name, figures, soFar } = pool;
  const { accesses, hits, stallNs } = figures;
  const of = pools > 1 ? `pool ${oneLine(name)} (p: next of ${formatCount(pools)})  ` : "";
  return [
    `${soFar === null ? "" : `${soFar}  `}${palette.bold(`${of}${cacheTitle(pool)}`)}`,
    `${palette.bold(formatPercent(hits / accesses))} of ${formatCount(accesses)} accesses hit; devices waited ${formatDuration(stallNs)} for the rest`,
    "",
  ].map((line) => fitLine(line, width, palette.glyphs.ellipsis).trimEnd());
}

/** Of a run that goes on, until more is counted. */
function liveLines(run: RunRecord, core: Core, width: number, palette: Palette): string[] {
  const { snapshot, rates } = run;
  const { accesses, hits, stallNs } = snapshot!.cache!;
  return [
    ...bars(
      [
        {
          label: "hits so far",
          share: accesses === 0 ? Number.NaN : hits / accesses,
          text: `of ${formatCount(accesses)} accesses`,
        },
        { label: "hits now", share: rates?.hitRate ?? Number.NaN, text: "of those since the last look" },
      ],
      width,
      palette,
    ),
    `devices waited ${formatDuration(stallNs)} for experts so far`,
    "",
    palette.dim(comingWords(run, core)),
  ].map((line) => fitLine(line, width, palette.glyphs.ellipsis).trimEnd());
}

/** What the expert cache did, and what another one would have done. */
export const cacheScreen = screen<CacheState>({
  id: "cache",
  title: "Cache",
  start: { show: "overview", slots: null, row: 0, from: 0, pool: 0 },
  keys: [
    { action: "show", keys: ["v"], help: "sizes / time / layers" },
    { action: "pool", keys: ["p"], help: "next pool", quiet: true },
    ...moveKeys,
    ...sidewaysKeys,
  ],
  words: [
    [
      "optimum (Belady)",
      "evicts the expert whose next use is furthest away: no policy that fetches on a miss hits more, and none knows the future",
    ],
    ["best fixed set", "the experts that were used most, chosen afterwards and never changed"],
    ["knee", "from this size on a further slot brings less than the average slot"],
    ["at best", "with room for everything: only first uses miss"],
    ["slot", "room for one expert in device memory"],
    ["cold miss", "the first use of an expert; capacity miss: it was there before, and had to go"],
  ],
  looks: true,
  exports: "details",
  missing: cacheMissing,
  act,
  view,
} satisfies Screen<CacheState>);
