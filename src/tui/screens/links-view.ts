import { oneLine } from "../../core/printable.ts";
import { formatCount, formatDuration } from "../../core/units.ts";
import { wrap } from "../../report/text-table.ts";
import type { Palette } from "../../report/widgets/palette.ts";
import { scrollTable, tableFrom, visibleRows } from "../../report/widgets/scroll-table.ts";
import { beside, fitLine, type Size } from "../../report/widgets/styled-text.ts";
import type { RunRecord } from "../state/run-record.ts";
import { isWide } from "../view/layout.ts";
import { linkColumns, sortedLinks } from "./link-columns.ts";
import { type LinkRow, type Links, queuesLong } from "./link-rows.ts";
import { linkWords } from "./link-words.ts";
import { memoryHead, tierLines, tierParts, tiersOf } from "./memory-view.ts";

/** What part of the resources is shown. */
export interface LinksPlace {
  /** Of the selected resource: figures change while a run goes on, and rows their places. */
  readonly name: string | null;
  readonly from: number;
  readonly column: number;
  readonly descending: boolean;
  readonly filter: string;
  /** Whether resources that did nothing are shown. */
  readonly idle: boolean;
}

/** The resources that are shown, in their order. */
export function shownLinks({ filter, idle, column, descending }: LinksPlace, { rows }: Links): readonly LinkRow[] {
  const wanted = filter.trim().toLowerCase();
  const kept = rows.filter(({ name, busyNs }) => (idle || busyNs > 0) && name.toLowerCase().includes(wanted));
  return sortedLinks(kept, column, descending);
}

/** The place of the selected resource; the first where it is not shown. */
export const placeOf = ({ name }: LinksPlace, rows: readonly LinkRow[]): number =>
  Math.max(
    0,
    rows.findIndex((row) => row.name === name),
  );

/** Lines of the words about the selected resource, its name among them, and a free one before. */
const wordLines = 7;
/** Where there is room for it, all that may be said in narrow columns. */
const wordLinesMax = 10;
/** Rows that a table keeps before something else is shown. */
const rowsMin = 5;

interface Layout {
  readonly wide: boolean;
  readonly table: Size;
  readonly words: Size;
  readonly memory: Size;
}

/** How the room below the head line is divided. */
function layoutOf(area: Size, tiers: number): Layout {
  const wide = isWide(area);
  const height = Math.max(1, area.height - 1);
  const left = wide ? Math.floor(area.width * 0.62) : area.width;
  const words = height >= 2 * wordLinesMax ? wordLinesMax : height >= wordLines + rowsMin ? wordLines : 0;
  const memory = wide || tiers === 0 || height - words < rowsMin + tiers + 2 ? 0 : tiers + 2;
  return {
    wide,
    table: { width: left, height: height - words - memory },
    words: { width: left, height: words },
    memory: wide ? { width: area.width - left - 3, height } : { width: left, height: memory },
  };
}

/** Lines of the table. */
export const linksTableHeight = (run: RunRecord, area: Size): number =>
  layoutOf(area, tiersOf(run).length).table.height;

/** Resources, what the selected one did in words, and memory. */
export function linksView(
  run: RunRecord,
  links: Links,
  place: LinksPlace,
  area: Size,
  palette: Palette,
): readonly string[] {
  const rows = shownLinks(place, links);
  const tiers = tiersOf(run);
  const { wide, table, words, memory } = layoutOf(area, tiers.length);
  const head = fitLine(headLine(place, links, rows, palette), area.width, palette.glyphs.ellipsis).trimEnd();
  const column = [
    ...tableLines(place, links, rows, table, palette),
    ...wordsOf(rows[placeOf(place, rows)], links, words, palette),
  ];
  if (wide) {
    const right = [...memoryHead(run, memory.width, palette), ...tierParts(tiers, memory.width, palette)];
    return [head, ...beside(column, tiers.length === 0 ? [] : right.slice(0, memory.height), table.width, 3)];
  }
  if (memory.height === 0) return [head, ...column];
  const below = [...memoryHead(run, memory.width, palette), ...tierLines(tiers, memory.width, palette)];
  const free = Array.from({ length: Math.max(1, area.height - 1 - column.length - below.length) }, () => "");
  return [head, ...column, ...free, ...below];
}

function headLine({ idle, filter }: LinksPlace, links: Links, rows: readonly LinkRow[], palette: Palette): string {
  const hidden = links.rows.filter(({ busyNs }) => !(busyNs > 0)).length;
  const time = {
    live: `the first ${formatDuration(links.overNs)}`,
    end: formatDuration(links.overNs),
    result: `${formatDuration(links.overNs)}, busy times and bytes alone`,
  }[links.from];
  const parts = [
    ...(links.soFar === null ? [] : [links.soFar]),
    `${formatCount(rows.length)} of ${formatCount(links.rows.length)} resources over ${time}`,
    hidden > 0 && !idle ? `${formatCount(hidden)} idle hidden (i)` : "",
    filter.trim() === "" ? "" : `with "${oneLine(filter)}"`,
  ];
  return palette.dim(parts.filter((part) => part !== "").join(", "));
}

/** Columns that say something of such a run: without one that goes on there is no now, and results alone know no turns. */
export function columnsOf({ from }: Links): readonly number[] {
  const kept = ["resource", "busy", "bytes", "rate"];
  return linkColumns.flatMap(({ header }, i) =>
    (header === "now" && from !== "live") || (from === "result" && !kept.includes(header)) ? [] : [i],
  );
}

function tableLines(place: LinksPlace, links: Links, rows: readonly LinkRow[], size: Size, palette: Palette): string[] {
  const columns = columnsOf(links);
  const at = placeOf(place, rows);
  return scrollTable(
    {
      columns: columns.map((i) => {
        const { header, value, dispensable } = linkColumns[i]!;
        return { header, ...(value === null ? { min: 26 } : { align: "right" as const }), dispensable };
      }),
      rows: rows.length,
      cell: (row, column) => linkColumns[columns[column]!]!.text(rows[row]!),
      tone: (row) => (queuesLong(rows[row]!) ? "warn" : undefined),
    },
    size,
    palette,
    {
      from: tableFrom(at, place.from, rows.length, visibleRows(rows.length, size.height)),
      selected: at,
      sorted: { column: columns.indexOf(place.column), descending: place.descending },
    },
  );
}

function wordsOf(row: LinkRow | undefined, links: Links, { width, height }: Size, palette: Palette): string[] {
  if (row === undefined || height === 0) return [];
  const { ellipsis } = palette.glyphs;
  const lines = linkWords(row, links).flatMap((line) => wrap(line, width));
  const name = palette.bold(fitLine(oneLine(row.name), width, ellipsis).trimEnd());
  return ["", name, ...lines].slice(0, height);
}
