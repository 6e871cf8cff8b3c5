import { AgeingCache } from "./ageing-cache.ts";
import type { CachePolicy } from "./expert-cache.ts";

/**
 * LFU with dynamic ageing (Arlitt, Cherkasova, Dilley, Friedrich and Jin, Evaluating Content Management Techniques for Web
 * Proxy Caches, HP Labs 1999): what was popular long ago gives way, because newcomers start at the priority of the last
 * victim. Room is made before newcomers are ranked. Left out: libCacheSim's version, which adds the least priority at
 * every hit too, so that priorities double and soon overflow.
 */
export const lfuDa: CachePolicy = {
  name: "lfu-da",
  rule: "Evicts the expert with the fewest uses since it was loaded, counted from the priority of the last victim at its last use.",
  needs: [],
  parameters: {},
  create: (context) => new AgeingCache(context, { ranksNewcomersFirst: false, bypass: false }),
};
