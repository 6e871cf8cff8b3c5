import { pow } from "../../core/pow.ts";
import type { RoutingTable } from "../routing-table.ts";

/** How many tokens pass between two uses of an expert in its sequence. */
export interface ReuseGaps {
  /** Upper ends of the bins, in tokens: 1, 2, 4, 8, ... */
  readonly upTo: readonly number[];
  /** Share of the selections in each bin. */
  readonly share: readonly number[];
  /** Share of the selections that are the first use in their sequence. */
  readonly firstUse: number;
}

/** Reuse gaps of one layer, in bins that double. */
export function reuseGaps(table: RoutingTable, layer: number): ReuseGaps {
  const { ids, topK, experts, sequenceStarts } = table;
  const stride = table.layers * topK;
  const lastRow = new Int32Array(experts);
  const bins = new Float64Array(32);
  let first = 0;
  let selections = 0;
  for (let sequence = 0; sequence + 1 < sequenceStarts.length; sequence++) {
    lastRow.fill(-1);
    for (let row = sequenceStarts[sequence]!; row < sequenceStarts[sequence + 1]!; row++) {
      const from = row * stride + layer * topK;
      for (let at = from; at < from + topK; at++) {
        if (ids[at]! >= experts) continue;
        const last = lastRow[ids[at]!]!;
        // A gap of 2^(b-1) + 1 .. 2^b tokens falls into bin b.
        if (last < 0) first += 1;
        else bins[32 - Math.clz32(row - last - 1)]! += 1;
        lastRow[ids[at]!] = row;
        selections += 1;
      }
    }
  }
  let used = bins.length;
  while (used > 0 && bins[used - 1] === 0) used -= 1;
  return {
    upTo: Array.from({ length: used }, (_, bin) => pow(2, bin)),
    share: Array.from(bins.subarray(0, used), (count) => count / selections),
    firstUse: selections === 0 ? 0 : first / selections,
  };
}
