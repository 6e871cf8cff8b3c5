import type { DpRank } from "../dp-rank.ts";
import type { KvLayout } from "./kv-plan.ts";

/** Share in use of the fullest KV pool, over all the data-parallel ranks. */
export function kvUseOf(dpRanks: readonly DpRank[], { main, apart }: KvLayout): number {
  let used = 0;
  for (let d = 0; d < dpRanks.length; d++) used += dpRanks[d]!.kv.main.used;
  let fullest = used / (dpRanks.length * main.capacity);
  for (let p = 0; p < apart.length; p++) {
    used = 0;
    for (let d = 0; d < dpRanks.length; d++) used += dpRanks[d]!.kv.pools[p + 1]!.used;
    fullest = Math.max(fullest, used / (dpRanks.length * apart[p]!.capacity));
  }
  return fullest;
}
