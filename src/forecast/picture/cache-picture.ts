import { admitted } from "../../policy/cache/admission/admitted.ts";
import { type CacheScope, createScopedCache } from "../../policy/cache/cache-scope.ts";
import { cachePolicies } from "../../policy/cache/caches.ts";
import { replayLog } from "../../policy/cache/call-log.ts";
import { type CachePolicy, type CallLog, configured } from "../../policy/cache/expert-cache.ts";
import type { OffloadConfig } from "../../sim/config.ts";
import type { Pool } from "../../sim/pool.ts";

/** Hit rates of a pool's expert caches by their size, replayed on recorded accesses of the run without any timing. */
export interface CachePicture {
  /** Of the pool; empty for the only one. */
  readonly pool: string;
  readonly scope: CacheScope;
  readonly policy: string;
  /** Slots of the run: of a layer (their mean where layers differ), or in all with scope `global`. */
  readonly slots: number;
  /** Accesses that were replayed at each size. */
  readonly accesses: number;
  /** Sizes at which the curves stand, ascending. */
  readonly sizes: readonly number[];
  /** [sizes] hit rates: LRU, the best fixed set with hindsight, the clairvoyant optimum. */
  readonly lru: readonly number[];
  readonly bestStatic: readonly number[];
  readonly belady: readonly number[];
  /** [sizes] of the run's policy; empty where it needs more than accesses. */
  readonly ofPolicy: readonly number[];
}

/** Accesses that are replayed under each policy, over all sizes and caches: some tenths of a second in all. */
const accessesMax = 3_000_000;
const sizesMax = 24;

/** null for a pool without expert caches, or whose accesses were not recorded. */
export function cachePicture({ config, experts }: Pool): CachePicture | null {
  const { offload, routing } = config;
  if (offload === null || routing.kind !== "replay") return null;
  const layers = routing.layerMap.length;
  const { experts: count, topK } = routing.table;
  const sizes = sizesFor(offload.scope === "layer" ? count : layers * count, offload.slots);
  const { logs: recorders } = experts.offloads;
  const each = Math.floor(accessesMax / sizes.length / Math.max(1, recorders.length));
  const logs = recorders.map((recorder) => prefixOf(recorder.toLog(), each));
  const accesses = logs.reduce((sum, { keys }) => sum + keys.length, 0);
  if (accesses === 0) return null;
  const uses = logs.map(({ keys }) => {
    const used = new Float64Array(layers * count);
    for (const key of keys) used[key]! += 1;
    return used;
  });
  const rates = (policy: CachePolicy, popularityOf: (cache: number) => Float64Array | null): number[] =>
    sizes.map((slots) => {
      const hits = logs.reduce((sum, log, i) => {
        const shape = { layers, expertsPerLayer: count, topK, slots };
        const cache = createScopedCache(policy, offload.scope, { ...shape, popularity: popularityOf(i), future: log });
        return sum + replayLog(log, cache).hits;
      }, 0);
      return Math.round((hits / accesses) * 1e5) / 1e5;
    });
  const none = () => null;
  return {
    pool: config.name ?? "",
    scope: offload.scope,
    policy: offload.policy.name,
    slots: offload.slots,
    accesses,
    sizes,
    lru: rates(admitted(cachePolicies.lru, offload.admission), none),
    bestStatic: rates(cachePolicies.static, (i) => uses[i]!),
    belady: rates(optimumFor(offload), none),
    ofPolicy: replayable(offload) ? rates(admitted(offload.policy, offload.admission), () => offload.popularity) : [],
  };
}

/** Evenly spread sizes from 1 to all, with that of the run. */
export function sizesFor(all: number, slots: number): number[] {
  const steps = Math.min(all, sizesMax);
  const even = Array.from({ length: steps }, (_, i) => Math.max(1, Math.round(((i + 1) * all) / steps)));
  return [...new Set([...even, ...(slots >= 1 && slots <= all ? [slots] : [])])].sort((a, b) => a - b);
}

/** The first calls of a log, with so many accesses at most. */
function prefixOf(log: CallLog, accesses: number): CallLog {
  let { calls } = log;
  while (calls > 0 && log.starts[calls]! > accesses) calls--;
  return { keys: log.keys.subarray(0, log.starts[calls]!), starts: log.starts.subarray(0, calls + 1), calls };
}

/** Policies that go by accesses, or by what was counted before the run. */
const replayable = ({ policy, popularity }: OffloadConfig): boolean =>
  policy.needs.every((need) => need === "popularity") && (policy.needs.length === 0 || popularity !== null);

/** The optimum is as free as the policy: to begin with experts, and to keep some out. */
function optimumFor({ policy, admission, miss }: OffloadConfig): CachePolicy {
  const loaded = policy.needs.includes("popularity");
  return configured(cachePolicies.belady, { bypass: admission !== null || miss !== undefined || loaded, loaded });
}
