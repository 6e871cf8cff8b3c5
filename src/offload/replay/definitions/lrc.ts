import { lrcReplay, oneByOne } from "../lrc.ts";
import type { HitDefinition } from "./hit-definition.ts";

/** Sequences do not share a cache and a batch changes nothing: each token is replayed alone. */
export const lrcDefinition: HitDefinition = {
  name: "lrc",
  counts: "each choice of a token",
  state: "before the token; changes access by access",
  coldFill: "a hit while the cache is not full",
  scope: "layer",
  source: "moe-lrc, arXiv 2505.16056 (ljcleo/moe-lrc at 7b3ca46)",
  measure: ({ table, policy, slots, popularity }) => lrcReplay(table, slots, oneByOne(policy, popularity)),
};
