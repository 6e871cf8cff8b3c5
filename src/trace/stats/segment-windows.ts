import type { RoutingTable } from "../routing-table.ts";

/**
 * Calls `visit` with the uses of each expert, [experts], for every segment of `segment` consecutive tokens of a layer. Segments start
 * at every token and lie within one sequence. The array is the same one each time.
 */
export function forEachSegment(
  { experts, topK, layers, ids, sequenceStarts }: RoutingTable,
  layer: number,
  segment: number,
  visit: (uses: Uint32Array) => void,
): void {
  const uses = new Uint32Array(experts);
  const stride = layers * topK;
  for (let s = 0; s + 1 < sequenceStarts.length; s++) {
    const [start, end] = [sequenceStarts[s]!, sequenceStarts[s + 1]!];
    if (end - start < segment) continue;
    uses.fill(0);
    for (let row = start; row < end; row++) {
      const at = row * stride + layer * topK;
      for (let k = 0; k < topK; k++) uses[ids[at + k]!]!++;
      const gone = row - segment;
      if (gone >= start) for (let k = 0; k < topK; k++) uses[ids[gone * stride + layer * topK + k]!]!--;
      if (gone + 1 >= start) visit(uses);
    }
  }
}
