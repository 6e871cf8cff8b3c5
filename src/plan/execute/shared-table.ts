import type { RoutingTable } from "../../trace/routing-table.ts";

type Column = Uint8Array | Uint16Array | Uint32Array | Float32Array;

/** The same table with its columns in memory that threads share; messages then carry it without a copy. */
export function sharedTable(table: RoutingTable): RoutingTable {
  return Object.fromEntries(
    Object.entries(table).map(([name, value]) => [name, ArrayBuffer.isView(value) ? shared(value as Column) : value]),
  ) as unknown as RoutingTable;
}

function shared<T extends Column>(column: T): T {
  const Kind = column.constructor as new (buffer: SharedArrayBuffer) => T;
  const copy = new Kind(new SharedArrayBuffer(column.byteLength));
  copy.set(column);
  return copy;
}

/** Bytes of the columns of a table. */
export const tableBytes = (table: RoutingTable): number =>
  Object.values(table).reduce((sum: number, value) => sum + (ArrayBuffer.isView(value) ? value.byteLength : 0), 0);
