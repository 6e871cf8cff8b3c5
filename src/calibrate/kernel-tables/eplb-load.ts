import { eplb } from "../../policy/placement/eplb.ts";
import type { RankLoad } from "./rank-load.ts";

/**
 * Work of the rank with the most pairs after EPLB has replicated and placed the experts for these very counts. The
 * replicas of an expert share its tokens as evenly as whole tokens allow; each replica with tokens is read.
 */
export function heaviestWithEplb(counts: Uint32Array, ranks: number, slots: number): RankLoad {
  const experts = counts.length;
  const loads = Float64Array.from(counts);
  const { slotExpert } = eplb.place({ layers: 1, experts, ranks, nodes: 1, groups: 1, slots, loads });
  const replicas = new Uint32Array(experts);
  for (const expert of slotExpert) replicas[expert]! += 1;
  const served = new Uint32Array(experts);
  const perRank = slots / ranks;
  let heaviest: RankLoad = { pairs: 0, distinct: 0 };
  for (let rank = 0; rank < ranks; rank++) {
    let pairs = 0;
    let distinct = 0;
    for (let slot = rank * perRank; slot < (rank + 1) * perRank; slot++) {
      const expert = slotExpert[slot]!;
      const tokens = Math.floor((counts[expert]! + served[expert]!) / replicas[expert]!);
      served[expert]! += 1;
      pairs += tokens;
      if (tokens > 0) distinct++;
    }
    if (pairs > heaviest.pairs) heaviest = { pairs, distinct };
  }
  return heaviest;
}
