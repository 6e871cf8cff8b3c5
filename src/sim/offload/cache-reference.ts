import { admitted } from "../../policy/cache/admission/admitted.ts";
import { createScopedCache } from "../../policy/cache/cache-scope.ts";
import { cachePolicies } from "../../policy/cache/caches.ts";
import { replayLog } from "../../policy/cache/call-log.ts";
import { configured } from "../../policy/cache/expert-cache.ts";
import { reserving } from "../../policy/cache/reserved.ts";
import type { PoolConfig } from "../config.ts";
import type { CacheResult } from "../result.ts";
import { stallByName } from "../store/stall-causes.ts";
import { type Offloads, slotsOf } from "./build-offloads.ts";
import { missActionsOf } from "./miss-actions.ts";
import type { OffloadState } from "./offload-state.ts";
import { prefetchCounts } from "./prefetch-counts.ts";
import { tierName } from "./tier-name.ts";

/**
 * The cache over the run. For reference, the clairvoyant optimum (Belady), the best fixed set and LRU are replayed on
 * the recorded accesses, with the same slots, scope and admission. The log is a prefix of the run if the run outgrew it.
 */
export function cacheResult(config: PoolConfig, offloads: Offloads): CacheResult | null {
  const counts = cacheCounts(config, offloads);
  return counts === null ? null : { ...counts, reference: references(config, offloads) };
}

/** The same without a reference, at any time of a run: nothing is replayed for it. */
export function cacheCounts(config: PoolConfig, offloads: Offloads): CacheResult | null {
  const { offload, routing, node } = config;
  if (offload === null || routing.kind !== "replay") return null;
  const sum = (pick: (state: OffloadState) => number) =>
    offloads.caches.reduce((total, state) => total + pick(state), 0);
  const calls = sum((state) => state.calls);
  return {
    policy: offload.policy.name,
    scope: offload.scope,
    slots: offload.slots,
    accesses: sum((state) => state.hits + state.misses),
    hits: sum((state) => state.hits),
    misses: sum((state) => state.misses),
    diskReads: offloads.hosts.reduce((total, host) => total + host.diskReads, 0),
    fetchedBytes: sum((state) => state.link.bytes),
    stallNs: sum((state) => state.stallNs),
    stallBy: stallByName(
      offloads.caches.map(({ stalls }) => stalls),
      node.tiers.map((_, tier) => tierName(node.tiers, tier)),
    ),
    ...(offload.hostCache === "exclusive"
      ? { writtenBackBytes: sum(({ writeBacks }) => writeBacks?.link.bytes ?? 0) }
      : {}),
    ...(offload.pageCache === undefined
      ? {}
      : { pageCacheHits: offloads.pages.reduce((total, { hits }) => total + hits, 0) }),
    ...(offload.tiering === "lru"
      ? { promotions: offloads.hosts.reduce((total, { migration }) => total + (migration?.swaps ?? 0), 0) }
      : {}),
    unionOverCapacity: calls === 0 ? 0 : sum((state) => state.unionOverCapacity) / calls,
    actions: missActionsOf(offload, offloads.caches),
    ...(offload.prefetch === undefined ? {} : { prefetch: prefetchCounts(offload.prefetch.name, offloads.caches) }),
    reference: null,
  };
}

function references(config: PoolConfig, { caches, logs }: Offloads): CacheResult["reference"] {
  const { offload, routing } = config;
  if (offload === null || routing.kind !== "replay") return null;
  const layers = routing.layerMap.length;
  const { experts } = routing.table;
  const filters = offload.admission !== null || offload.miss !== undefined;
  const hits = { policy: 0, belady: 0, bestStatic: 0, lru: 0 };
  let accesses = 0;
  for (const [i, recorder] of logs.entries()) {
    const log = recorder.toLog();
    accesses += log.keys.length;
    // The best fixed set holds the most used experts of this very log.
    const used = new Float64Array(layers * experts);
    for (const key of log.keys) used[key]!++;
    const shape = { layers, expertsPerLayer: experts, ...slotsOf(offload) };
    const { reserved, popularity } = caches[i]!;
    const cacheOf = (policy: typeof offload.policy, popularity: Float64Array | null) =>
      createScopedCache(reserving(policy, reserved), offload.scope, { ...shape, popularity, future: log });
    const replay = (...of: Parameters<typeof cacheOf>) => replayLog(log, cacheOf(...of)).hits;
    // The optimum is as free as the policy: to start with experts, and to keep some out.
    const loaded = cacheOf(offload.policy, popularity).resident > reserved.keep.length;
    const belady = configured(cachePolicies.belady, { bypass: filters || loaded, loaded });
    // What is sent ahead hits too; the policy alone is its replay, where accesses are all that it needs.
    const alone =
      offload.prefetch !== undefined && !offload.policy.needs.some((need) => need === "weights" || need === "tokens");
    hits.policy += alone ? replay(admitted(offload.policy, offload.admission), popularity) : recorder.hits;
    hits.belady += replay(belady, null);
    hits.bestStatic += replay(cachePolicies.static, used);
    hits.lru += replay(admitted(cachePolicies.lru, offload.admission), null);
  }
  if (accesses === 0) return null;
  return {
    accesses,
    policy: hits.policy / accesses,
    belady: hits.belady / accesses,
    bestStatic: hits.bestStatic / accesses,
    lru: hits.lru / accesses,
  };
}
