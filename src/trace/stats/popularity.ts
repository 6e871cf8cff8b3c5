import type { RoutingTable } from "../routing-table.ts";

/** Selections of each expert of a layer in rows `from` .. `to` - 1 (all rows by default). */
export function expertCounts(table: RoutingTable, layer: number, from = 0, to = table.rows): Float64Array {
  const { ids, topK } = table;
  const stride = table.layers * topK;
  const counts = new Float64Array(table.experts);
  for (let row = from; row < to; row++) {
    const first = row * stride + layer * topK;
    for (let at = first; at < first + topK; at++) counts[ids[at]!]! += 1;
  }
  return counts;
}

/** Counts over their sum. */
export function shares(counts: ArrayLike<number>): number[] {
  let sum = 0;
  for (let at = 0; at < counts.length; at++) sum += counts[at]!;
  return Array.from(counts, (count) => (sum === 0 ? 0 : count / sum));
}

/** Highest load over the mean load: 1 is perfect balance. */
export function maxOverMean(loads: ArrayLike<number>): number {
  let sum = 0;
  let max = 0;
  for (let at = 0; at < loads.length; at++) {
    sum += loads[at]!;
    max = Math.max(max, loads[at]!);
  }
  return sum === 0 ? 0 : (max * loads.length) / sum;
}

/** Standard deviation of the loads over their mean. */
export function coefficientOfVariation(loads: ArrayLike<number>): number {
  const values = Array.from(loads);
  const mean = values.reduce((sum, load) => sum + load, 0) / values.length;
  const variance = values.reduce((sum, load) => sum + (load - mean) * (load - mean), 0) / values.length;
  return mean === 0 ? 0 : Math.sqrt(variance) / mean;
}

/** Load of each of `ranks` ranks when experts are placed contiguously; the first ranks take a remainder. */
export function contiguousRankLoads(counts: ArrayLike<number>, ranks: number): Float64Array {
  const loads = new Float64Array(ranks);
  const small = Math.floor(counts.length / ranks);
  const large = counts.length - small * ranks;
  let expert = 0;
  for (let rank = 0; rank < ranks; rank++) {
    const end = expert + small + (rank < large ? 1 : 0);
    for (; expert < end; expert++) loads[rank]! += counts[expert]!;
  }
  return loads;
}

/** Total variation distance between two distributions over the same experts. */
export function totalVariation(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let distance = 0;
  for (let at = 0; at < a.length; at++) distance += Math.abs(a[at]! - b[at]!);
  return distance / 2;
}
