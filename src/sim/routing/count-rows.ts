import { idsPerLayer } from "../../trace/routing-table.ts";

/** Rows of routing, [rows][layers][topK]. */
export interface RoutingRows {
  readonly ids: Uint8Array | Uint16Array;
  readonly layers: number;
  readonly topK: number;
  readonly experts: number;
}

/**
 * Adds `delta` to counts[layer * (experts + 1) + id] for every choice of the rows [from, to); the last counter of a
 * layer is that of choices without an expert.
 */
export type RowCounter = (counts: Uint32Array, from: number, to: number, delta: 1 | -1) => void;

/**
 * Counts rows of a table. The hottest loop of a run with replay. It is unrolled: the control of a short inner loop costs
 * more than its increments (eight at once is three times as fast as one by one, bench/routing-aggregation.ts). It is a
 * closure over the table: what a closure that is made once holds are constants to the compiler, a quarter less time than
 * fields of an argument.
 */
export function rowCounter(table: RoutingRows): RowCounter {
  return table.topK === 8 ? counterOf8(table) : counterOfAny(table);
}

function counterOf8(table: RoutingRows): RowCounter {
  const { ids, layers } = table;
  const perLayer = idsPerLayer(table);
  const width = layers * perLayer;
  return (counts, from, to, delta) => {
    let i = from * layers * 8;
    for (let row = from; row < to; row++) {
      for (let base = 0; base < width; base += perLayer, i += 8) {
        counts[base + ids[i]!]! += delta;
        counts[base + ids[i + 1]!]! += delta;
        counts[base + ids[i + 2]!]! += delta;
        counts[base + ids[i + 3]!]! += delta;
        counts[base + ids[i + 4]!]! += delta;
        counts[base + ids[i + 5]!]! += delta;
        counts[base + ids[i + 6]!]! += delta;
        counts[base + ids[i + 7]!]! += delta;
      }
    }
  };
}

function counterOfAny(table: RoutingRows): RowCounter {
  const { ids, layers, topK } = table;
  const perLayer = idsPerLayer(table);
  const width = layers * perLayer;
  return (counts, from, to, delta) => {
    let i = from * layers * topK;
    for (let row = from; row < to; row++) {
      for (let base = 0; base < width; base += perLayer) {
        let left = topK;
        for (; left >= 4; left -= 4, i += 4) {
          counts[base + ids[i]!]! += delta;
          counts[base + ids[i + 1]!]! += delta;
          counts[base + ids[i + 2]!]! += delta;
          counts[base + ids[i + 3]!]! += delta;
        }
        for (; left > 0; left--) counts[base + ids[i++]!]! += delta;
      }
    }
  };
}
