import type { RoutingTable } from "../../trace/routing-table.ts";

/**
 * schStatic(m), the first definition of moe-lrc's SCH: the share of the choices of m consecutive tokens that the `slots` experts
 * most used by them cover, over all segments of all layers. Segments start at every token. Null where no sequence is as long.
 */
export function segmentCover(table: RoutingTable, segment: number, slots: number): number | null {
  const { ids, layers, topK, experts, sequenceStarts } = table;
  const stride = layers * topK;
  const uses = new Uint32Array(experts);
  const withUses = new Uint32Array(segment + 1);
  let covered = 0;
  let chosen = 0;
  for (let layer = 0; layer < layers; layer++)
    for (let s = 0; s + 1 < sequenceStarts.length; s++) {
      const [start, end] = [sequenceStarts[s]!, sequenceStarts[s + 1]!];
      if (end - start < segment) continue;
      uses.fill(0);
      for (let row = start; row < end; row++) {
        const at = row * stride + layer * topK;
        for (let k = at; k < at + topK; k++) uses[ids[k]!]!++;
        const gone = row - segment;
        if (gone >= start) for (let k = 0; k < topK; k++) uses[ids[gone * stride + layer * topK + k]!]!--;
        if (gone + 1 < start) continue;
        withUses.fill(0);
        for (let expert = 0; expert < experts; expert++) withUses[uses[expert]!]!++;
        let left = slots;
        for (let count = segment; count > 0; count--) {
          chosen += count * withUses[count]!;
          covered += count * Math.min(left, withUses[count]!);
          left -= Math.min(left, withUses[count]!);
        }
      }
    }
  return chosen === 0 ? null : covered / chosen;
}
