import type { RoutingTable } from "../../trace/routing-table.ts";
import { copyOfRows } from "../../trace/row-columns.ts";

type RowRange = readonly [from: number, to: number];

/**
 * A trace in two halves, each a table of its own: what is judged on one half is fitted on the other, so that every row is
 * judged once and nothing is judged on the rows it was fitted on. Sequences of a domain go to the halves in turn; the only
 * sequence of a domain is cut in the middle. Null where a half would be empty.
 */
export function halvesOf(table: RoutingTable): readonly [RoutingTable, RoutingTable] | null {
  const halves: [RowRange[], RowRange[]] = [[], []];
  for (let domain = 0; domain < table.domains.length; domain++) {
    const own = sequencesBetween(table, table.domainStarts[domain]!, table.domainStarts[domain + 1]!);
    const [only] = own;
    if (own.length === 1 && only !== undefined) {
      const middle = Math.floor((only[0] + only[1]) / 2);
      halves[0].push([middle, only[1]]);
      if (middle > only[0]) halves[1].push([only[0], middle]);
    } else for (const [i, range] of own.entries()) halves[i % 2 === 0 ? 0 : 1].push(range);
  }
  if (halves[0].length === 0 || halves[1].length === 0) return null;
  return [rowsOf(table, halves[0]), rowsOf(table, halves[1])];
}

function sequencesBetween({ sequenceStarts }: RoutingTable, from: number, to: number): RowRange[] {
  const ranges: RowRange[] = [];
  for (let s = 0; s + 1 < sequenceStarts.length; s++) {
    const [start, end] = [sequenceStarts[s]!, sequenceStarts[s + 1]!];
    if (start >= from && start < to && end > start) ranges.push([start, end]);
  }
  return ranges;
}

/** A table of some ranges of rows, each a sequence, in table order. */
function rowsOf(table: RoutingTable, ranges: readonly RowRange[]): RoutingTable {
  const starts = [0];
  const domainRows = table.domains.map(() => 0);
  for (const [from, to] of ranges) {
    starts.push(starts.at(-1)! + to - from);
    const domain = table.domains.findIndex(
      (_, d) => from >= table.domainStarts[d]! && from < table.domainStarts[d + 1]!,
    );
    domainRows[domain]! += to - from;
  }
  let before = 0;
  const domainStarts = [0, ...domainRows.map((rows) => (before += rows))];
  return {
    ...table,
    rows: starts.at(-1)!,
    ...copyOfRows(table, ranges),
    sequenceStarts: Uint32Array.from(starts),
    domainStarts: Uint32Array.from(domainStarts),
  };
}
