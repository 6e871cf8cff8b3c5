import { eplb } from "../../policy/placement/eplb.ts";
import type { RankLoad } from "./rank-load.ts";

/**
 * Work of the rank with the most pairs after EPLB has copied and placed the experts for these very counts. The
 * copies of an expert share its tokens as evenly as whole tokens allow; each copy with tokens is read.
 */
export function heaviestWithEplb(counts: Uint32Array, ranks: number, physicalExperts: number): RankLoad {
  const experts = counts.length;
  const loads = Float64Array.from(counts);
  const { logicalExperts } = eplb.place({ layers: 1, experts, ranks, nodes: 1, groups: 1, physicalExperts, loads });
  const copies = new Uint32Array(experts);
  for (const expert of logicalExperts) copies[expert]! += 1;
  const served = new Uint32Array(experts);
  const perRank = physicalExperts / ranks;
  let heaviest: RankLoad = { pairs: 0, distinct: 0 };
  for (let rank = 0; rank < ranks; rank++) {
    let pairs = 0;
    let distinct = 0;
    for (let p = rank * perRank; p < (rank + 1) * perRank; p++) {
      const expert = logicalExperts[p]!;
      const tokens = Math.floor((counts[expert]! + served[expert]!) / copies[expert]!);
      served[expert]! += 1;
      pairs += tokens;
      if (tokens > 0) distinct++;
    }
    if (pairs > heaviest.pairs) heaviest = { pairs, distinct };
  }
  return heaviest;
}
