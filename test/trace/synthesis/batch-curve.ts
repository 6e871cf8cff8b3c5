import { RandomStream } from "../../../src/core/random.ts";
import type { RoutingTable } from "../../../src/trace/routing-table.ts";
import { RecencyStack } from "../../../src/trace/stats/recency-stack.ts";

/** What steps of several sequences ask of one LRU cache per layer. */
export interface BatchCurve {
  /** Hits per expert asked for with 0 .. experts slots, mean over layers. */
  readonly hitRate: readonly number[];
  /** Mean distinct experts of a step. */
  readonly distinct: number;
}

/** Steps at the start that fill the cache and are not counted. */
const filling = 50;

/**
 * `batch` slots that work through the sequences of a table in random order, each from a random position on. A step asks
 * for the distinct experts of its tokens; hits are judged before any of them is touched.
 */
export function batchCurve(table: RoutingTable, batch: number, steps: number): BatchCurve {
  const { experts, topK, layers, ids, sequenceStarts } = table;
  const random = new RandomStream(1, "batch curve");
  const sequences = sequenceStarts.length - 1;
  let turn = random.below(sequences);
  const next = () => {
    turn = (turn + 1) % sequences;
    return { row: sequenceStarts[turn]!, end: sequenceStarts[turn + 1]! };
  };
  const slots = Array.from({ length: batch }, () => {
    const { row, end } = next();
    return { row: row + random.below(end - row), end };
  });
  const rowsOfStep = Array.from({ length: filling + steps }, () => {
    const rows = slots.map(({ row }) => row);
    for (const [at, slot] of slots.entries()) {
      slot.row += 1;
      if (slot.row === slot.end) slots[at] = next();
    }
    return rows;
  });
  const atDepth = new Float64Array(experts);
  let accesses = 0;
  for (let layer = 0; layer < layers; layer++) {
    const stack = new RecencyStack(experts);
    for (const [step, rows] of rowsOfStep.entries()) {
      const asked = new Set<number>();
      for (const row of rows) for (let k = 0; k < topK; k++) asked.add(ids[(row * layers + layer) * topK + k]!);
      for (const expert of asked) {
        const depth = stack.distance(expert);
        if (step < filling) continue;
        accesses += 1;
        if (depth >= 0) atDepth[depth]! += 1;
      }
      for (const expert of asked) stack.touch(expert);
    }
  }
  const hitRate = [0];
  for (let size = 0; size < experts; size++) hitRate.push(hitRate[size]! + atDepth[size]! / accesses);
  return { hitRate, distinct: accesses / (steps * layers) };
}
