import { sequencesOf } from "./parts-of-table.ts";
import type { RoutingTable } from "./routing-table.ts";

/** The earlier and the later half of a recording. */
export interface TimeSplit {
  readonly earlier: RoutingTable;
  readonly later: RoutingTable;
  /** Whether sequences were cut, because no domain has two: their ends are then judged by their beginnings. */
  readonly cut: boolean;
  /** Rows of domains with a single sequence, which are in neither half. */
  readonly leftOut: number;
}

/**
 * Halves a table by time: of each domain the sequences up to the boundary nearest to half of its rows, and those behind it, so
 * that both halves have the same mix of domains. Sequences stay whole and a domain with one of them is left out; where all have
 * one, each is cut in the middle. null where a half would be empty.
 */
export function splitByTime(table: RoutingTable): TimeSplit | null {
  const { sequenceStarts, domainStarts } = table;
  const byDomain = Array.from({ length: domainStarts.length - 1 }, (_, domain) =>
    [...sequenceStarts.subarray(0, -1)].filter(
      (row) => row >= domainStarts[domain]! && row < domainStarts[domain + 1]!,
    ),
  );
  const cut = byDomain.every((starts) => starts.length < 2);
  const starts: number[] = [];
  const earlier: number[] = [];
  const later: number[] = [];
  let leftOut = 0;
  for (const [domain, first] of byDomain.entries()) {
    const end = domainStarts[domain + 1]!;
    const begin = domainStarts[domain]!;
    const half = (begin + end) / 2;
    if (first.length === 0) continue;
    if (first.length === 1 && cut && end - begin > 1) {
      earlier.push(starts.length);
      later.push(starts.length + 1);
      starts.push(begin, Math.round(half));
      continue;
    }
    if (first.length === 1) leftOut += end - begin;
    else {
      const boundary = first
        .slice(1)
        .reduce((best, row) => (Math.abs(row - half) < Math.abs(best - half) ? row : best), first[1]!);
      for (const [i, row] of first.entries()) (row < boundary ? earlier : later).push(starts.length + i);
    }
    starts.push(...first);
  }
  if (earlier.length === 0 || later.length === 0) return null;
  const bounds = [...starts, table.rows];
  return { earlier: sequencesOf(table, bounds, earlier), later: sequencesOf(table, bounds, later), cut, leftOut };
}
