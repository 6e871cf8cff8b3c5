import type { RoutingTable } from "../routing-table.ts";

/** What a token shares with an earlier one of its sequence, in one layer. */
export interface Overlap {
  /** Tokens that have one `lag` before them. */
  readonly pairs: number;
  /** Mean of |S(t) and S(t - lag)| / topK. */
  readonly share: number;
  /** Share of the pairs whose first stored expert is the same. */
  readonly leadRepeat: number;
}

/** Overlap of tokens `lag` rows apart in the sequences `sequences` (all by default). */
export function overlapAtLag(
  table: RoutingTable,
  layer: number,
  lag: number,
  sequences: Iterable<number> = Array.from({ length: table.sequenceStarts.length - 1 }, (_, index) => index),
): Overlap {
  const { ids, topK, experts, sequenceStarts } = table;
  const stride = table.layers * topK;
  let pairs = 0;
  let shared = 0;
  let repeats = 0;
  for (const sequence of sequences) {
    const end = sequenceStarts[sequence + 1]!;
    for (let row = sequenceStarts[sequence]! + lag; row < end; row++) {
      const now = row * stride + layer * topK;
      const before = now - lag * stride;
      pairs += 1;
      if (ids[now] === ids[before]) repeats += 1;
      for (let at = now; at < now + topK; at++) {
        const expert = ids[at]!;
        if (expert >= experts) continue;
        for (let other = before; other < before + topK; other++) if (ids[other] === expert) shared += 1;
      }
    }
  }
  if (pairs === 0) return { pairs, share: 0, leadRepeat: 0 };
  return { pairs, share: shared / (pairs * topK), leadRepeat: repeats / pairs };
}
