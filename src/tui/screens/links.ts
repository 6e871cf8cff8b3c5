import { oneLine } from "../../core/printable.ts";
import { formatBytes, formatCount, formatDuration, formatPercent } from "../../core/units.ts";
import { wrap } from "../../report/text-table.ts";
import { bars } from "../../report/widgets/bar-line.ts";
import { stackedBar } from "../../report/widgets/levels.ts";
import type { Palette } from "../../report/widgets/palette.ts";
import { scrollTable, tableFrom, visibleRows } from "../../report/widgets/scroll-table.ts";
import { beside, clip, type Size } from "../../report/widgets/styled-text.ts";
import type { TierMap } from "../../sim/memory/memory.ts";
import { moved, moveKeys } from "../keys/global-keys.ts";
import { type Core, currentRun } from "../state/core.ts";
import { isOpen, type RunRecord } from "../state/run-record.ts";
import { isWide } from "../view/layout.ts";
import { linkColumns, sortedLinks } from "./link-columns.ts";
import { type LinkRow, type Links, linksOfRun } from "./link-rows.ts";
import { linkWords } from "./link-words.ts";
import { type Act, type Screen, screen } from "./screen.ts";

/** What the links screen remembers. */
export interface LinksState {
  /** Of the selected resource: figures change while a run goes on, and rows their places. */
  readonly name: string | null;
  readonly from: number;
  readonly column: number;
  readonly descending: boolean;
  readonly filter: string;
  /** Whether resources that did nothing are shown. */
  readonly idle: boolean;
  /** Whether the memory fills the screen. */
  readonly memory: boolean;
}

function missing(core: Core): string | null {
  const run = currentRun(core);
  if (run === null) return "No run yet: choose a scenario on Home (1) and press Enter.";
  if (linksOfRun(run) !== null) return null;
  return isOpen(run) ? "The run reads its inputs." : "The run has no result.";
}

function rowsOf({ filter, idle, column, descending }: LinksState, { rows }: Links): readonly LinkRow[] {
  const wanted = filter.trim().toLowerCase();
  return sortedLinks(
    rows.filter(({ name, busyNs }) => (idle || busyNs > 0) && name.toLowerCase().includes(wanted)),
    column,
    descending,
  );
}

const placeOf = ({ name }: LinksState, rows: readonly LinkRow[]): number =>
  Math.max(
    0,
    rows.findIndex((row) => row.name === name),
  );

/** Lines of the words about the selected resource. */
const wordLines = 5;

/** How the room is divided. */
interface Layout {
  readonly table: Size;
  readonly words: Size;
  readonly memory: Size;
  readonly wide: boolean;
}

function layoutOf(area: Size, tiers: number): Layout {
  const { width, height } = area;
  const wide = isWide(area);
  const left = wide ? Math.floor(width * 0.62) : width;
  const memory = wide ? Math.max(0, height - 2) : Math.min(tiers + 1, Math.max(0, height - wordLines - 7));
  const below = wordLines + 1 + (wide ? 0 : memory);
  const shows = height - 1 - below >= 3;
  return {
    wide,
    table: { width: left, height: Math.max(1, height - 1 - (shows ? below : 0)) },
    words: { width: left, height: shows ? wordLines : 0 },
    memory: { width: wide ? width - left - 3 : width, height: shows || wide ? memory : 0 },
  };
}

function act(own: LinksState, action: string, core: Core, area: Size): Act<LinksState> {
  const run = currentRun(core);
  const links = run === null ? null : linksOfRun(run);
  if (links === null) return {};
  switch (action) {
    case "sort":
      return { own: { ...own, column: (own.column + 1) % linkColumns.length } };
    case "reverse":
      return { own: { ...own, descending: !own.descending } };
    case "idle":
      return { own: { ...own, idle: !own.idle } };
    case "memory":
      return { own: { ...own, memory: !own.memory } };
    case "filter":
      return {
        intents: [{ kind: "ask", prompt: { kind: "filter", label: "filter: ", value: own.filter, suggestions: [] } }],
      };
    default: {
      const rows = rowsOf(own, links);
      const visible = visibleRows(rows.length, layoutOf(area, tiersOf(run!).length).table.height);
      const at = Math.max(0, moved(placeOf(own, rows), action, rows.length, visible));
      return { own: { ...own, name: rows[at]?.name ?? null, from: tableFrom(at, own.from, rows.length, visible) } };
    }
  }
}

const tiersOf = ({ forecast, snapshot }: RunRecord): readonly TierMap[] =>
  forecast?.memory.tiers ?? snapshot?.memory ?? [];

function view(own: LinksState, core: Core, area: Size, palette: Palette): readonly string[] {
  const run = currentRun(core)!;
  const links = linksOfRun(run)!;
  const tiers = tiersOf(run);
  const rows = rowsOf(own, links);
  const head = headLine(own, links, rows, palette);
  if (own.memory) return clip([memoryHead(run, palette), ...memoryLines(tiers, area.width, palette)], area);
  const layout = layoutOf(area, tiers.length);
  const at = placeOf(own, rows);
  const visible = visibleRows(rows.length, layout.table.height);
  const live = links.from === "live";
  const columns = linkColumns.map(({ header, value, dispensable }, i) => ({
    header,
    ...(value === null ? { min: 14 } : { align: "right" as const }),
    // Without a run that goes on there is no now; without turns nothing waits.
    dispensable: hidden(i, links, live) ? 99 : dispensable,
  }));
  const shownColumns = columns.map((_, i) => i).filter((i) => !hidden(i, links, live));
  const table = scrollTable(
    {
      columns: shownColumns.map((i) => columns[i]!),
      rows: rows.length,
      cell: (row, column) => linkColumns[shownColumns[column]!]!.text(rows[row]!),
    },
    layout.table,
    palette,
    {
      from: tableFrom(at, own.from, rows.length, visible),
      selected: at,
      sorted: { column: shownColumns.indexOf(own.column), descending: own.descending },
    },
  );
  const selected = rows[at];
  const words =
    selected === undefined || layout.words.height === 0
      ? []
      : [
          palette.bold(oneLine(selected.name)),
          ...linkWords(selected, links).flatMap((line) => wrap(line, layout.words.width)),
        ].slice(0, layout.words.height + 1);
  if (layout.wide) {
    const column = [...pad(table, layout.table.height), ...words];
    const right = [memoryHead(run, palette), ...memoryLines(tiers, layout.memory.width, palette)];
    return [head, ...beside(column, right.slice(0, area.height - 1), layout.table.width, 3)];
  }
  const memory =
    layout.memory.height < 2
      ? []
      : [memoryHead(run, palette), ...tierBars(tiers, layout.memory.width, palette)].slice(0, layout.memory.height);
  return [head, ...pad(table, layout.table.height), ...pad(words, words.length === 0 ? 0 : wordLines + 1), ...memory];
}

/** Columns that say nothing of such a run. */
function hidden(column: number, { from }: Links, live: boolean): boolean {
  const { header } = linkColumns[column]!;
  if (header === "now") return !live;
  return from === "saved" && !["resource", "busy", "bytes", "rate"].includes(header);
}

const pad = (lines: readonly string[], height: number): string[] => [
  ...lines,
  ...new Array<string>(Math.max(0, height - lines.length)).fill(""),
];

function headLine(own: LinksState, links: Links, rows: readonly LinkRow[], palette: Palette): string {
  const idle = links.rows.filter(({ busyNs }) => !(busyNs > 0)).length;
  const time = {
    live: `the first ${formatDuration(links.overNs)}`,
    end: formatDuration(links.overNs),
    saved: `${formatDuration(links.overNs)}, as saved`,
  }[links.from];
  const parts = [
    `${formatCount(rows.length)} of ${formatCount(links.rows.length)} resources over ${time}`,
    idle > 0 && !own.idle ? `${formatCount(idle)} idle ones hidden (i)` : "",
    own.filter.trim() === "" ? "" : `with "${own.filter.trim()}"`,
  ];
  return palette.dim(parts.filter((part) => part !== "").join(", "));
}

function memoryHead({ forecast, snapshot }: RunRecord, palette: Palette): string {
  const kv =
    forecast !== null
      ? `KV blocks at most ${formatPercent(forecast.kv.peakShare)} in use`
      : snapshot !== null
        ? `KV blocks ${formatPercent(snapshot.kvUse)} in use now`
        : "";
  return `${palette.bold("Memory")} ${palette.dim(`of the fullest device and its host${kv === "" ? "" : `, ${kv}`}`)}`;
}

const tierBars = (tiers: readonly TierMap[], width: number, palette: Palette): string[] =>
  bars(
    tiers.map(({ tier, usedBytes, capacityBytes }) => ({
      label: tier,
      share: capacityBytes > 0 ? usedBytes / capacityBytes : Number.NaN,
      text: `${formatBytes(usedBytes)} of ${formatBytes(capacityBytes)}`,
    })),
    width,
    palette,
  );

/** Every tier with its parts. */
const memoryLines = (tiers: readonly TierMap[], width: number, palette: Palette): string[] =>
  tiers.flatMap(({ tier, usedBytes, capacityBytes, items }) => [
    "",
    `${palette.bold(oneLine(tier))}  ${formatBytes(usedBytes)} of ${formatBytes(capacityBytes)}`,
    ...stackedBar(
      {
        parts: items.map(({ name, bytes }) => ({ name, amount: bytes })),
        total: capacityBytes,
        format: formatBytes,
      },
      width,
      palette,
    ),
  ]);

/** Tiers of memory, and everything that is busy or waited for. */
export const linksScreen = screen<LinksState>({
  id: "links",
  title: "Links",
  start: { name: null, from: 0, column: 1, descending: true, filter: "", idle: false, memory: false },
  keys: [
    { action: "sort", keys: ["s"], help: "sort by the next" },
    { action: "reverse", keys: ["S"], help: "reverse" },
    { action: "filter", keys: ["/"], help: "filter" },
    { action: "idle", keys: ["i"], help: "idle ones" },
    { action: "memory", keys: ["m"], help: "memory in full" },
    ...moveKeys,
  ],
  missing,
  act,
  typed: (own, kind, text) => (kind === "filter" ? { own: { ...own, filter: text, from: 0 } } : {}),
  view,
} satisfies Screen<LinksState>);
