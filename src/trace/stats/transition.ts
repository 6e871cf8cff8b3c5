import type { RoutingTable } from "../routing-table.ts";

/**
 * Co-selection of layer `layer` and a later recorded one, the next where none is named: counts[e][f] is the number of tokens
 * that chose e in the first and f in the second, [experts][experts].
 */
export function transitionCounts(table: RoutingTable, layer: number, later = layer + 1): Float64Array {
  const { ids, rows, topK, experts } = table;
  const stride = table.layers * topK;
  const counts = new Float64Array(experts * experts);
  for (let row = 0; row < rows; row++) {
    const from = row * stride + layer * topK;
    const next = row * stride + later * topK;
    for (let above = from; above < from + topK; above++) {
      const base = ids[above]! * experts;
      if (ids[above]! >= experts) continue;
      for (let below = next; below < next + topK; below++) if (ids[below]! < experts) counts[base + ids[below]!]! += 1;
    }
  }
  return counts;
}

/** Tokens that chose both e and f in layer `layer`, [experts][experts], symmetric, with an empty diagonal. */
export function pairCounts(table: RoutingTable, layer: number): Float64Array {
  const { ids, rows, topK, experts } = table;
  const stride = table.layers * topK;
  const counts = new Float64Array(experts * experts);
  for (let row = 0; row < rows; row++) {
    const from = row * stride + layer * topK;
    const end = from + topK;
    for (let at = from; at < end; at++)
      for (let other = at + 1; other < end; other++) {
        if (ids[at]! >= experts || ids[other]! >= experts) continue;
        counts[ids[at]! * experts + ids[other]!]! += 1;
        counts[ids[other]! * experts + ids[at]!]! += 1;
      }
  }
  return counts;
}

/**
 * Mass-weighted total variation between the rows of two transition matrices: the mean over experts e, weighted by how
 * often `counts` has e, of half the L1 distance between the two distributions over next-layer experts.
 */
export function transitionDistance(counts: Float64Array, other: Float64Array, experts: number): number {
  let distance = 0;
  let mass = 0;
  for (let row = 0; row < counts.length; row += experts) {
    let sum = 0;
    let otherSum = 0;
    for (let at = row; at < row + experts; at++) {
      sum += counts[at]!;
      otherSum += other[at]!;
    }
    if (sum === 0) continue;
    let variation = 0;
    for (let at = row; at < row + experts; at++)
      variation += Math.abs(counts[at]! / sum - (otherSum === 0 ? 0 : other[at]! / otherSum));
    distance += (sum * variation) / 2;
    mass += sum;
  }
  return mass === 0 ? 0 : distance / mass;
}
