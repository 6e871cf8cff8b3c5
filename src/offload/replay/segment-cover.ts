import type { RoutingTable } from "../../trace/routing-table.ts";
import { forEachSegment } from "../../trace/stats/segment-windows.ts";

/**
 * schStatic(m), the first definition of moe-lrc's SCH: the share of the choices of m consecutive tokens that the `slots` experts
 * most used by them cover, over all segments of all layers. Segments start at every token. Null where no sequence is as long.
 */
export function segmentCover(table: RoutingTable, segment: number, slots: number): number | null {
  const withUses = new Uint32Array(segment + 1);
  let covered = 0;
  let chosen = 0;
  for (let layer = 0; layer < table.layers; layer++)
    forEachSegment(table, layer, segment, (uses) => {
      withUses.fill(0);
      for (let expert = 0; expert < uses.length; expert++) withUses[uses[expert]!]!++;
      let left = slots;
      for (let count = segment; count > 0; count--) {
        chosen += count * withUses[count]!;
        covered += count * Math.min(left, withUses[count]!);
        left -= Math.min(left, withUses[count]!);
      }
    });
  return chosen === 0 ? null : covered / chosen;
}
