import type { RoutingTable } from "../../trace/routing-table.ts";

/** How often experts of one layer are chosen by tokens that chose experts of another. */
export interface ExpertPairs {
  /** [experts x experts] tokens that chose e in the first layer and f in the second, at e x experts + f. */
  readonly together: Uint32Array;
  /** [experts] tokens that chose e in the first layer, and f in the second. */
  readonly first: Uint32Array;
  readonly second: Uint32Array;
}

/** Counts over the rows of a table; layers are recorded ones. */
export function expertPairs(table: RoutingTable, from: number, to: number): ExpertPairs {
  const { ids, rows, layers, topK, experts } = table;
  const together = new Uint32Array(experts * experts);
  const first = new Uint32Array(experts);
  const second = new Uint32Array(experts);
  for (let row = 0; row < rows; row++) {
    const above = (row * layers + from) * topK;
    const below = (row * layers + to) * topK;
    for (let j = below; j < below + topK; j++) if (ids[j]! < experts) second[ids[j]!]!++;
    for (let i = above; i < above + topK; i++) {
      const expert = ids[i]!;
      if (expert >= experts) continue;
      first[expert]!++;
      for (let j = below; j < below + topK; j++) if (ids[j]! < experts) together[expert * experts + ids[j]!]!++;
    }
  }
  return { together, first, second };
}

/** [experts x experts] share of the tokens with e in the first layer that chose f in the second; 0 where nobody chose e. */
export function sharesAfter({ together, first }: ExpertPairs): Float32Array {
  const experts = first.length;
  return Float32Array.from(together, (count, at) => (count === 0 ? 0 : count / first[Math.floor(at / experts)]!));
}

/** A value for each pair of recorded layers, made once however many layers of the model replay them. */
export function byLayerPair<T>(make: (from: number, to: number) => T): (from: number, to: number) => T {
  const made = new Map<string, T>();
  return (from, to) => {
    const name = `${from},${to}`;
    const known = made.get(name);
    if (known !== undefined) return known;
    const value = make(from, to);
    made.set(name, value);
    return value;
  };
}
