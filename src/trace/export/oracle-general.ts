import type { RoutingTable } from "../routing-table.ts";
import { writePieces } from "./rows-to-file.ts";

/** Packed little-endian record: u32 time, u64 object, u32 size, i64 next access (virtual time, -1 for none). */
const recordBytes = 24;

/**
 * The accesses of a table in token order as libCacheSim reads them, for checking cache policies against it. Every
 * expert of a row is one access of size 1; object 0 is not used, ids start at 1.
 */
export async function writeOracleGeneral(table: RoutingTable, _model: string, path: string): Promise<void> {
  await writePieces(path, records(table));
}

function* records(table: RoutingTable): Iterable<Uint8Array> {
  const { layers, topK, experts, rows } = table;
  const perRow = layers * topK;
  const next = new Float64Array(rows * perRow).fill(-1);
  const last = new Float64Array(layers * experts).fill(-1);
  let time = 0;
  for (let i = 0; i < rows * perRow; i++) if (table.ids[i]! < experts) time++;
  for (let i = rows * perRow - 1; i >= 0; i--) {
    if (table.ids[i]! >= experts) continue;
    const key = objectOf(table, i);
    next[i] = last[key]!;
    last[key] = --time;
  }
  for (let row = 0; row < rows; row++) {
    const block = new Uint8Array(perRow * recordBytes);
    const view = new DataView(block.buffer);
    let at = 0;
    for (let i = row * perRow; i < (row + 1) * perRow; i++) {
      if (table.ids[i]! >= experts) continue;
      view.setUint32(at, row, true);
      view.setBigUint64(at + 4, BigInt(objectOf(table, i) + 1), true);
      view.setUint32(at + 12, 1, true);
      view.setBigInt64(at + 16, BigInt(next[i]!), true);
      at += recordBytes;
    }
    yield block.subarray(0, at);
  }
}

function objectOf(table: RoutingTable, index: number): number {
  const layer = Math.floor(index / table.topK) % table.layers;
  return layer * table.experts + table.ids[index]!;
}
