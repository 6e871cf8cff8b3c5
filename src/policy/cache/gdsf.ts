import { z } from "zod";
import { AgeingCache } from "./ageing-cache.ts";
import type { CachePolicy } from "./expert-cache.ts";

const parameters = {
  bypass: z
    .boolean()
    .default(false)
    .describe("Whether a newcomer may be the victim itself although its call fits, as in the paper and libCacheSim."),
};

/**
 * Greedy-Dual-Size-Frequency (Cherkasova, Improving WWW Proxies Performance with Greedy-Dual-Size-Frequency Caching Policy, HP
 * Labs 1998): priority is the age plus uses x cost / size. All experts cost and weigh the same here, so that leaves
 * age + uses. A newcomer is ranked before room is made, at the age from before. With `bypass`, hits and misses of single
 * accesses are libCacheSim's.
 */
export const gdsf: CachePolicy<typeof parameters> = {
  name: "gdsf",
  rule: "Evicts the expert of least age at its last use plus uses since it was loaded; the age is the highest priority evicted.",
  needs: [],
  parameters,
  create: (context, { bypass } = { bypass: false }) => new AgeingCache(context, { ranksNewcomersFirst: true, bypass }),
};
