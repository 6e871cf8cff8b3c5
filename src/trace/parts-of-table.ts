import type { RoutingTable } from "./routing-table.ts";
import { changedColumns, copyOfRows } from "./row-columns.ts";

/** The table's first `layers` layers; the table itself where it has no more. */
export function firstLayers(table: RoutingTable, layers: number): RoutingTable {
  if (layers >= table.layers) return table;
  const columns = changedColumns(table, (values, perRow) => {
    if (perRow === 1) return values;
    const kept = (perRow / table.layers) * layers;
    const out = values.slice(0, table.rows * kept) as typeof values;
    for (let row = 0; row < table.rows; row++) out.set(values.subarray(row * perRow, row * perRow + kept), row * kept);
    return out;
  });
  return { ...table, ...columns, layers, modelLayers: table.modelLayers.slice(0, layers) };
}

/** The table's sequences of at least `rowsMin` rows; the table itself where all are, or none is. */
export function longSequences(table: RoutingTable, rowsMin: number): RoutingTable {
  const { sequenceStarts: starts, domainStarts } = table;
  const kept = [...starts.subarray(0, -1).keys()].filter((s) => starts[s + 1]! - starts[s]! >= rowsMin);
  if (kept.length === 0 || kept.length === starts.length - 1) return table;
  const sequenceStarts = new Uint32Array(kept.length + 1);
  const newDomainStarts = new Uint32Array(domainStarts.length);
  for (const [i, s] of kept.entries()) {
    const rows = starts[s + 1]! - starts[s]!;
    sequenceStarts[i + 1] = sequenceStarts[i]! + rows;
    // The rows of a sequence come before the starts of all later domains.
    for (let d = 0; d < domainStarts.length; d++) if (domainStarts[d]! > starts[s]!) newDomainStarts[d]! += rows;
  }
  const ranges = kept.map((s) => [starts[s]!, starts[s + 1]!] as const);
  const columns = copyOfRows(table, ranges);
  return { ...table, ...columns, rows: sequenceStarts.at(-1)!, sequenceStarts, domainStarts: newDomainStarts };
}

/**
 * Some sequences as a table of their own. `starts`: first row of each sequence, then the number of rows; they may cut those of the
 * table. `parts`: numbers of the wanted ones, ascending.
 */
export function sequencesOf(table: RoutingTable, starts: readonly number[], parts: readonly number[]): RoutingTable {
  const ranges = parts.map((s) => [starts[s]!, starts[s + 1]!] as const);
  const sequenceStarts = [0];
  const domainStarts = new Uint32Array(table.domainStarts.length);
  for (const [from, to] of ranges) {
    sequenceStarts.push(sequenceStarts.at(-1)! + to - from);
    for (let d = 0; d < domainStarts.length; d++) if (table.domainStarts[d]! > from) domainStarts[d]! += to - from;
  }
  return {
    ...table,
    ...copyOfRows(table, ranges),
    rows: sequenceStarts.at(-1)!,
    sequenceStarts: Uint32Array.from(sequenceStarts),
    domainStarts,
  };
}
