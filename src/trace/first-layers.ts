import type { RoutingTable } from "./routing-table.ts";

/** The table's first `layers` layers; the table itself where it has no more. */
export function firstLayers(table: RoutingTable, layers: number): RoutingTable {
  if (layers >= table.layers) return table;
  const kept = layers * table.topK;
  const all = table.layers * table.topK;
  const ids = table.ids.slice(0, table.rows * kept);
  for (let row = 0; row < table.rows; row++) ids.set(table.ids.subarray(row * all, row * all + kept), row * kept);
  return { ...table, layers, ids, modelLayers: table.modelLayers.slice(0, layers) };
}
