import { formatBytes, formatCount, formatDuration, formatNumber, formatPercent } from "../../core/units.ts";
import { type LinkRow, queuedNs } from "./link-rows.ts";

/** A figure of a resource. */
export interface LinkColumn {
  readonly header: string;
  /** NaN where it is not known; null: sorted by name. */
  readonly value: ((row: LinkRow) => number) | null;
  readonly text: (row: LinkRow) => string;
  readonly dispensable?: number;
}

const known = (value: number, format: (value: number) => string) => (Number.isNaN(value) ? "-" : format(value));

const column = (
  header: string,
  value: (row: LinkRow) => number,
  format: (value: number) => string,
  dispensable?: number,
): LinkColumn => ({
  header,
  value,
  text: (row) => known(value(row), format),
  ...(dispensable === undefined ? {} : { dispensable }),
});

const percent = (share: number) => formatPercent(share);
const ofTurns =
  (of: (turns: NonNullable<LinkRow["turns"]>) => number) =>
  ({ turns }: LinkRow): number =>
    turns === null ? Number.NaN : of(turns);

/** Bytes per ns are GB/s. */
export const formatRate = (bytesPerNs: number): string => `${formatNumber(bytesPerNs)} GB/s`;

/** What moves no bytes that are counted has neither bytes nor a rate. */
const ofBytes =
  (of: (row: LinkRow) => number) =>
  (row: LinkRow): number =>
    row.bytes > 0 ? of(row) : Number.NaN;

/** All figures of resources, in the order of the table. Those that tell most stay longest where there is little room. */
export const linkColumns: readonly LinkColumn[] = [
  { header: "resource", value: null, text: ({ name }) => name },
  column("busy", ({ share }) => share, percent),
  column("now", ({ recent }) => recent, percent, 1),
  column("queued", queuedNs, formatDuration, 2),
  column(
    "behind demands",
    ofTurns(({ behindDemandNs }) => behindDemandNs),
    formatDuration,
    7,
  ),
  column(
    "behind chunks",
    ofTurns(({ behindBackgroundNs }) => behindBackgroundNs),
    formatDuration,
    8,
  ),
  column(
    "bytes",
    ofBytes(({ bytes }) => bytes),
    formatBytes,
    6,
  ),
  column(
    "rate",
    ofBytes(({ rate }) => rate),
    formatRate,
    4,
  ),
  column(
    "demands",
    ofTurns(({ demands }) => demands),
    formatCount,
    3,
  ),
  column(
    "for demands",
    ofTurns(({ demandNs }) => demandNs),
    formatDuration,
    9,
  ),
  column(
    "chunks",
    ofTurns(({ chunks }) => chunks),
    formatCount,
    5,
  ),
  column(
    "in background",
    ofTurns(({ backgroundNs }) => backgroundNs),
    formatDuration,
    10,
  ),
];

/** Rows in the order of a column, those without a value last, equal ones by name. */
export function sortedLinks(rows: readonly LinkRow[], at: number, descending: boolean): readonly LinkRow[] {
  const value = linkColumns[at]?.value ?? null;
  const sign = descending ? -1 : 1;
  const byName = (a: LinkRow, b: LinkRow) => compareNames(a.name, b.name);
  if (value === null) return rows.toSorted((a, b) => sign * byName(a, b));
  return rows.toSorted((a, b) => {
    const [first, second] = [value(a), value(b)];
    if (Number.isNaN(first) || Number.isNaN(second))
      return Number(Number.isNaN(first)) - Number(Number.isNaN(second)) || byName(a, b);
    return sign * (first - second) || byName(a, b);
  });
}

/** Names with the numbers in them as numbers: rank 2 comes before rank 10. */
function compareNames(a: string, b: string): number {
  const [first, second] = [a, b].map((name) => name.split(/(\d+)/)) as [string[], string[]];
  for (let i = 0; i < Math.min(first.length, second.length); i++) {
    if (first[i] === second[i]) continue;
    if (i % 2 === 1) return Number(first[i]) - Number(second[i]) || (first[i]! < second[i]! ? -1 : 1);
    return first[i]! < second[i]! ? -1 : 1;
  }
  return first.length - second.length;
}
