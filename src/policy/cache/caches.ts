import { arc } from "./arc.ts";
import { belady } from "./belady.ts";
import { clock } from "./clock.ts";
import type { CachePolicy } from "./expert-cache.ts";
import { fifo } from "./fifo.ts";
import { fineMoe } from "./finemoe.ts";
import { gdsf } from "./gdsf.ts";
import { hobbit } from "./hobbit.ts";
import { hybriMoe } from "./hybrimoe.ts";
import { layerDistance } from "./layer-distance.ts";
import { leastStale } from "./least-stale.ts";
import { lfu } from "./lfu.ts";
import { lfuDa } from "./lfu-da.ts";
import { lhd } from "./lhd.ts";
import { lirs } from "./lirs.ts";
import { lru } from "./lru.ts";
import { moeApex } from "./moe-apex.ts";
import { moeInfinity } from "./moe-infinity.ts";
import { plec } from "./plec.ts";
import { random } from "./random.ts";
import { remask } from "./remask.ts";
import { s3Fifo } from "./s3-fifo.ts";
import { sch } from "./sch.ts";
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
  arc,
  lirs,
  "lfu-da": lfuDa,
  gdsf,
  lhd,
  random,
  sieve,
  "s3-fifo": s3Fifo,
  "2q": twoQ,
  slru,
  "w-tinylfu": wTinyLfu,
  static: staticTop,
  remask,
  "least-stale": leastStale,
  "layer-distance": layerDistance,
  "moe-infinity": moeInfinity,
  finemoe: fineMoe,
  hobbit,
  "moe-apex": moeApex,
  hybrimoe: hybriMoe,
  plec,
  sch,
  belady,
} as const satisfies Record<string, CachePolicy>;

export type CachePolicyName = keyof typeof cachePolicies;

/** Policies that a run can follow: the others need the accesses to come. */
export const livePolicyNames = (Object.keys(cachePolicies) as CachePolicyName[]).filter(
  (name) => !(cachePolicies[name] as CachePolicy).needs.includes("future"),
);
