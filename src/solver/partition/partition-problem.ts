import type { Problem } from "../../core/errors.ts";
import { arrayProblems } from "../array-problems.ts";

/**
 * Items of each layer into parts of given sizes, so that little traffic between consecutive layers changes the part: ExFlow's placement of experts on
 * ranks (IPDPS 2024), in its aggregate form, which needs counts of pairs alone.
 */
export interface PartitionProblem {
  readonly layers: number;
  /** Items of every layer. */
  readonly items: number;
  readonly parts: number;
  /** [layers - 1][items][items] tokens from an item to one of the next layer. */
  readonly traffic: Float64Array;
  /** [parts][parts] what a token costs from one part to another; 0 to itself. */
  readonly distance: Float64Array;
  /** [layers][parts] items of each part in each layer, neither more nor fewer. */
  readonly sizes: Uint16Array;
  /** [items] parts of the first layer's items that searches start from beside their own; absent: none. */
  readonly start?: Uint16Array;
  /** Partitions that `sweeps` start from; absent: 4. */
  readonly starts?: number;
}

/** Traffic times distance; `partOf` is [layers][items]. */
export function partitionObjective(problem: PartitionProblem, partOf: ArrayLike<number>): number {
  const { layers, items, parts, traffic, distance } = problem;
  let total = 0;
  for (let layer = 0; layer + 1 < layers; layer++)
    for (let from = 0; from < items; from++) {
      const row = partOf[layer * items + from]! * parts;
      const base = (layer * items + from) * items;
      const next = (layer + 1) * items;
      for (let to = 0; to < items; to++) total += traffic[base + to]! * distance[row + partOf[next + to]!]!;
    }
  return total;
}

/** What a partition violates; null where it is one. */
export function partitionViolation(
  { layers, items, parts, sizes }: PartitionProblem,
  partOf: Uint16Array,
): string | null {
  if (partOf.length !== layers * items) return `${partOf.length} items instead of ${layers * items}`;
  const held = new Uint32Array(layers * parts);
  for (const [at, part] of partOf.entries()) {
    const layer = Math.floor(at / items);
    if (!(part < parts)) return `item ${at % items} of layer ${layer} is in part ${part} of ${parts}`;
    held[layer * parts + part]! += 1;
  }
  const wrong = held.findIndex((count, at) => count !== sizes[at]);
  return wrong < 0
    ? null
    : `part ${wrong % parts} of layer ${Math.floor(wrong / parts)} holds ${held[wrong]} items, not ${sizes[wrong]}`;
}

export function partitionProblems(problem: PartitionProblem): Problem[] {
  const { layers, items, parts, traffic, distance, sizes, start, starts = 1 } = problem;
  if (![layers, items, parts, starts].every((each) => Number.isInteger(each) && each >= 1))
    return [
      { at: "layers, items, parts, starts", expected: "positive integers", found: [layers, items, parts, starts] },
    ];
  const problems: Problem[] = [];
  const sized = (...array: Parameters<typeof arrayProblems>) => problems.push(...arrayProblems(...array));
  sized("traffic", traffic, (layers - 1) * items * items);
  sized("distance", distance, parts * parts);
  sized("sizes", sizes, layers * parts);
  if (start !== undefined) {
    sized("start", start, items);
    const held = new Uint16Array(parts);
    for (const part of start) if (part < parts) held[part]! += 1;
    const wrong = held.findIndex((count, part) => count !== sizes[part]);
    if (wrong >= 0)
      problems.push({ at: `start`, expected: `${sizes[wrong]} items in part ${wrong}`, found: held[wrong] });
  }
  for (let part = 0; part < parts; part++)
    if (distance[part * parts + part] !== 0)
      problems.push({
        at: `distance[${part}][${part}]`,
        expected: "0: a part to itself",
        found: distance[part * parts + part],
      });
  for (let layer = 0; layer < layers; layer++) {
    const sum = sizes.subarray(layer * parts, (layer + 1) * parts).reduce((total, size) => total + size, 0);
    if (sum !== items) problems.push({ at: `sizes of layer ${layer}`, expected: `${items} places in all`, found: sum });
  }
  return problems;
}
