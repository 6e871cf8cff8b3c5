import { belady } from "./belady.ts";
import { clock } from "./clock.ts";
import type { CachePolicy } from "./expert-cache.ts";
import { fifo } from "./fifo.ts";
import { lfu } from "./lfu.ts";
import { lru } from "./lru.ts";
import { staticTop } from "./static-top.ts";

/** Expert cache policies by the name a scenario uses. */
export const cachePolicies = {
  lru,
  lfu,
  fifo,
  clock,
  static: staticTop,
  belady,
} as const satisfies Record<string, CachePolicy>;

export type CachePolicyName = keyof typeof cachePolicies;

/** Policies that a run can follow: the others need the accesses to come. */
export const livePolicyNames = (Object.keys(cachePolicies) as CachePolicyName[]).filter(
  (name) => !(cachePolicies[name] as CachePolicy).needs.includes("future"),
);
