import { nearClasses } from "../near-classes.ts";
import type { PartitionProblem } from "./partition-problem.ts";

/**
 * No partition costs less. Of what an item sends, at most what goes to as many items as its class of near parts holds stays there, and the
 * same of what it gets; a class is a part by itself, then a node. `sizes` may be the most items of each part.
 */
export function partitionBound(problem: PartitionProblem): number {
  const { layers, items, parts, traffic, distance, sizes } = problem;
  const levels = nearClasses(distance, parts).filter(({ classes }) => classes > 1);
  const mostOf = (layer: number) =>
    levels.map(({ classOf, classes }) => {
      const room = new Float64Array(classes);
      for (let part = 0; part < parts; part++) room[classOf[part]!]! += sizes[layer * parts + part]!;
      return room.reduce((largest, each) => Math.max(largest, each), 0);
    });
  let bound = 0;
  for (let layer = 0; layer + 1 < layers; layer++) {
    const pair = traffic.subarray(layer * items * items, (layer + 1) * items * items);
    const rows = leaving(pair, items, mostOf(layer + 1));
    const columns = leaving(transposed(pair, items), items, mostOf(layer));
    let before = 0;
    for (const [level, { apart }] of levels.entries()) {
      bound += Math.max(rows[level]!, columns[level]!) * (apart - before);
      before = apart;
    }
  }
  return bound;
}

function transposed(matrix: Float64Array, size: number): Float64Array {
  const out = new Float64Array(size * size);
  for (let row = 0; row < size; row++)
    for (let column = 0; column < size; column++) out[column * size + row] = matrix[row * size + column]!;
  return out;
}

/** Sums over rows of a matrix of all but their largest entries, for each number of entries that are kept. */
function leaving(matrix: Float64Array, size: number, kept: readonly number[]): Float64Array {
  const sums = new Float64Array(kept.length);
  for (let row = 0; row < size; row++) {
    const values = matrix.slice(row * size, (row + 1) * size).sort();
    for (const [level, most] of kept.entries()) for (let at = 0; at < size - most; at++) sums[level]! += values[at]!;
  }
  return sums;
}
