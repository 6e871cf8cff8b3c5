import { nearClasses } from "../near-classes.ts";
import type { PartitionProblem } from "./partition-problem.ts";

/**
 * No partition costs less. Of what an item sends, at most what goes to as many items as its class of near parts holds stays there, and the
 * same of what it gets; a class is a part by itself, then a node. `sizes` may be the most items of each part.
 */
export function partitionBound(problem: PartitionProblem): number {
  const { layers, items, parts, traffic, distance, sizes } = problem;
  let bound = 0;
  let before = 0;
  for (const { apart, classOf, classes } of nearClasses(distance, parts)) {
    if (classes === 1) break;
    for (let layer = 0; layer + 1 < layers; layer++) {
      const most = (of: number) => {
        const room = new Float64Array(classes);
        for (let part = 0; part < parts; part++) room[classOf[part]!]! += sizes[of * parts + part]!;
        return room.reduce((largest, each) => Math.max(largest, each), 0);
      };
      const base = layer * items * items;
      const rows = leaving(traffic, base, items, items, 1, most(layer + 1));
      const columns = leaving(traffic, base, items, 1, items, most(layer));
      bound += Math.max(rows, columns) * (apart - before);
    }
    before = apart;
  }
  return bound;
}

/** Sum over lines of a matrix of all but their `kept` largest entries. */
function leaving(counts: Float64Array, base: number, size: number, line: number, step: number, kept: number): number {
  let sum = 0;
  const values = new Float64Array(size);
  for (let at = 0; at < size; at++) {
    for (let i = 0; i < size; i++) values[i] = counts[base + at * line + i * step]!;
    values.sort();
    for (let i = 0; i < size - kept; i++) sum += values[i]!;
  }
  return sum;
}
