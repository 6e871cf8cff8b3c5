import type { RoutingTable } from "../routing-table.ts";
import { RecencyStack } from "./recency-stack.ts";

/** Hits of an LRU expert cache at every size, from one pass over the accesses. */
export interface LruCurve {
  /** Experts asked for: events x topK, less choices without an expert. */
  readonly accesses: number;
  /** Accesses to an expert that its sequence had not used before; a miss at every size. */
  readonly coldMisses: number;
  /** Hits with a cache of c slots, c = 0 .. experts (or layers x experts in the global scope). */
  readonly hits: Float64Array;
}

/**
 * Event-atomic LRU hit curve of one layer. The event is one token: hits are judged against residency at its start, then
 * all its experts, hits included, are touched in stored order, the last being the most recent. The cache is emptied
 * between sequences. `ids` is [rows][topK]; `sequenceStarts` holds the first row of each sequence, then `rows`.
 */
export function lruCurve(
  ids: Uint8Array | Uint16Array,
  rows: number,
  topK: number,
  experts: number,
  sequenceStarts: ArrayLike<number>,
): LruCurve {
  return curveOf({ ids, rows, topK, experts, layers: 1, stride: topK, offset: 0, sequenceStarts });
}

/** The same for recorded layer `layer` of a table, with one cache per layer. */
export function layerLruCurve(table: RoutingTable, layer: number): LruCurve {
  const stride = table.layers * table.topK;
  return curveOf({ ...table, layers: 1, stride, offset: layer * table.topK });
}

/** One cache shared by all layers: keys are (layer, expert), the event is still one layer of one token. */
export function globalLruCurve(table: RoutingTable): LruCurve {
  return curveOf({ ...table, stride: table.layers * table.topK, offset: 0 });
}

/** Share of accesses that hit with `capacity` slots; a capacity beyond the curve holds everything. */
export function hitRate(curve: LruCurve, capacity: number): number {
  const hits = curve.hits[Math.min(capacity, curve.hits.length - 1)] ?? 0;
  return curve.accesses === 0 ? 0 : hits / curve.accesses;
}

/** Accesses at each depth of the LRU stack, 0 = most recent; the last entry counts the cold misses. */
export function accessesAtDepth(curve: LruCurve): Float64Array {
  const counts = new Float64Array(curve.hits.length);
  for (let depth = 0; depth + 1 < counts.length; depth++) counts[depth] = curve.hits[depth + 1]! - curve.hits[depth]!;
  counts[counts.length - 1] = curve.coldMisses;
  return counts;
}

/** Adds curves of caches of the same size: the curve of one cache of that size per layer. */
export function addCurves(curves: readonly LruCurve[]): LruCurve {
  const hits = new Float64Array(Math.max(0, ...curves.map((curve) => curve.hits.length)));
  let accesses = 0;
  let coldMisses = 0;
  for (const curve of curves) {
    accesses += curve.accesses;
    coldMisses += curve.coldMisses;
    for (let size = 0; size < hits.length; size++) hits[size]! += curve.hits[Math.min(size, curve.hits.length - 1)]!;
  }
  return { accesses, coldMisses, hits };
}

interface Events {
  readonly ids: Uint8Array | Uint16Array;
  readonly rows: number;
  readonly topK: number;
  readonly experts: number;
  /** Events per row, one after the other. */
  readonly layers: number;
  readonly stride: number;
  readonly offset: number;
  readonly sequenceStarts: ArrayLike<number>;
}

function curveOf(events: Events): LruCurve {
  const { ids, rows, topK, experts, layers, stride, offset, sequenceStarts } = events;
  const stack = new RecencyStack(experts * layers);
  const atDistance = new Float64Array(experts * layers);
  let coldMisses = 0;
  for (let sequence = 0; sequence + 1 < sequenceStarts.length; sequence++) {
    stack.clear();
    const end = Math.min(rows, sequenceStarts[sequence + 1]!);
    for (let row = sequenceStarts[sequence]!; row < end; row++) {
      for (let layer = 0; layer < layers; layer++) {
        const from = row * stride + offset + layer * topK;
        const base = layer * experts;
        for (let at = from; at < from + topK; at++) {
          if (ids[at]! >= experts) continue;
          const distance = stack.distance(base + ids[at]!);
          if (distance < 0) coldMisses += 1;
          else atDistance[distance]! += 1;
        }
        for (let at = from; at < from + topK; at++) if (ids[at]! < experts) stack.touch(base + ids[at]!);
      }
    }
  }
  const hits = new Float64Array(atDistance.length + 1);
  for (let size = 0; size < atDistance.length; size++) hits[size + 1] = hits[size]! + atDistance[size]!;
  return { accesses: hits[atDistance.length]! + coldMisses, coldMisses, hits };
}
