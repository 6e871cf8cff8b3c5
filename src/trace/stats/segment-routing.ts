import type { RoutingTable } from "../routing-table.ts";

/**
 * Segment routing best performance of a layer (SRP, "Not All Models Suit Expert Offloading", arXiv 2505.16056, section 3.1 and
 * appendix C.1): how well a fixed set of experts for `segment` consecutive tokens covers what they choose. An expert counts
 * as active in a segment that uses it at least a times; SRP is the best F1 score of that guess over all a, one for all
 * experts. Segments start at every token of a sequence. Null where no sequence is as long. Never below 2 r / (r + 1), which
 * guessing every expert gives, r being topK / experts.
 */
export function segmentRouting(table: RoutingTable, layer: number, segment: number): number | null {
  const counts = segmentUses(table, layer, segment);
  let used = 0;
  for (let uses = 1; uses <= segment; uses++) used += uses * counts[uses]!;
  if (used === 0) return null;
  let best = 0;
  let covered = 0;
  let active = 0;
  for (let uses = segment; uses >= 0; uses--) {
    covered += uses * counts[uses]!;
    active += counts[uses]!;
    best = Math.max(best, (2 * covered) / (segment * active + used));
  }
  return best;
}

/** How many (expert, segment) pairs have 0 .. segment uses: [segment + 1]. */
function segmentUses({ experts, topK, layers, ids, sequenceStarts }: RoutingTable, layer: number, segment: number) {
  const counts = new Float64Array(segment + 1);
  const uses = new Uint32Array(experts);
  const stride = layers * topK;
  for (let s = 0; s + 1 < sequenceStarts.length; s++) {
    const [start, end] = [sequenceStarts[s]!, sequenceStarts[s + 1]!];
    if (end - start < segment) continue;
    uses.fill(0);
    for (let row = start; row < end; row++) {
      const at = row * stride + layer * topK;
      for (let k = 0; k < topK; k++) uses[ids[at + k]!]!++;
      const first = row - segment;
      if (first >= start) for (let k = 0; k < topK; k++) uses[ids[first * stride + layer * topK + k]!]!--;
      if (first + 1 >= start) for (let e = 0; e < experts; e++) counts[uses[e]!]!++;
    }
  }
  return counts;
}
