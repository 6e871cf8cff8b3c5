import { belady } from "./belady.ts";
import { clock } from "./clock.ts";
import type { CachePolicy } from "./expert-cache.ts";
import { fifo } from "./fifo.ts";
import { lfu } from "./lfu.ts";
import { lru } from "./lru.ts";
import { random } from "./random.ts";
import { s3Fifo } from "./s3-fifo.ts";
import { sieve } from "./sieve.ts";
import { slru } from "./slru.ts";
import { staticTop } from "./static-top.ts";
import { twoQ } from "./two-q.ts";
import { wTinyLfu } from "./w-tinylfu.ts";

/** Expert cache policies by the name a scenario uses. */
export const cachePolicies = {
  lru,
  lfu,
  fifo,
  clock,
  random,
  sieve,
  "s3-fifo": s3Fifo,
  "2q": twoQ,
  slru,
  "w-tinylfu": wTinyLfu,
  static: staticTop,
  belady,
} as const satisfies Record<string, CachePolicy>;

export type CachePolicyName = keyof typeof cachePolicies;

/** Policies that a run can follow: the others need the accesses to come. */
export const livePolicyNames = (Object.keys(cachePolicies) as CachePolicyName[]).filter(
  (name) => !(cachePolicies[name] as CachePolicy).needs.includes("future"),
);
