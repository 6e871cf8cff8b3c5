import { admitted } from "../../policy/cache/admission/admitted.ts";
import { type CacheScope, createScopedCache } from "../../policy/cache/cache-scope.ts";
import { replayLog } from "../../policy/cache/call-log.ts";
import type { CallLog } from "../../policy/cache/expert-cache.ts";
import { type ExpertCalls, type HitCurve, lruHitCurve, sumOfCurves } from "../../policy/cache/hit-curve.ts";
import { optimumHitCurve } from "../../policy/cache/optimum-curve.ts";
import { staticHitCurve } from "../../policy/cache/static-curve.ts";
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
  /** Accesses that were replayed. */
  readonly accesses: number;
  /** Sizes at which the curves stand, ascending. */
  readonly sizes: readonly number[];
  /** [sizes] hit rates: LRU, the best fixed set with hindsight, the clairvoyant optimum; null where it is not defined. */
  readonly lru: readonly number[];
  readonly bestStatic: readonly number[];
  readonly belady: readonly (number | null)[];
  /** [sizes] of the run's policy; empty where it needs more than accesses. */
  readonly ofPolicy: readonly number[];
}

/** Accesses that are replayed in all, and work of the optimum's stacks: together some tenths of a second. */
const accessesMax = 1_000_000;
const stackWorkMax = 40_000_000;
/** Accesses of the policy's replays, over all sizes. */
const policyAccessesMax = 4_000_000;
const sizesMax = 24;

/** null for a pool without expert caches, or whose accesses were not recorded. */
export function cachePicture({ config, experts }: Pool): CachePicture | null {
  const { offload, routing } = config;
  if (offload === null || routing.kind !== "replay") return null;
  const shape = { layers: routing.layerMap.length, experts: routing.table.experts };
  const objects = offload.scope === "layer" ? shape.experts : shape.layers * shape.experts;
  const logs = experts.offloads.logs.map((recorder) => recorder.toLog());
  const each = Math.floor(accessesMax / Math.max(1, logs.length));
  const callsEach = Math.max(1, Math.floor(stackWorkMax / objects / Math.max(1, logs.length)));
  const calls = logs.map((log): ExpertCalls => ({ ...prefixOf(log, each, callsEach), ...shape }));
  const lru = sumOfCurves(calls.map((of) => lruHitCurve(of, offload.scope)));
  if (lru.accesses === 0) return null;
  const free = offload.admission !== null || offload.miss !== undefined || offload.policy.needs.includes("popularity");
  const belady = sumOfCurves(calls.map((of) => optimumHitCurve(of, offload.scope, free ? "free" : "mandatory")));
  const bestStatic = sumOfCurves(calls.map((of) => staticHitCurve(of, offload.scope)));
  const sizes = sizesFor(objects, offload.slots);
  const rates = ({ hits }: HitCurve) => sizes.map((size) => share(hits[size]! / lru.accesses));
  return {
    pool: config.name ?? "",
    scope: offload.scope,
    policy: offload.policy.name,
    slots: offload.slots,
    accesses: lru.accesses,
    sizes,
    lru: rates(lru),
    bestStatic: rates(bestStatic),
    belady: rates(belady).map((rate) => (Number.isNaN(rate) ? null : rate)),
    ofPolicy: policyRates(offload, routing.table.topK, calls, sizes),
  };
}

const share = (rate: number): number => Math.round(rate * 1e5) / 1e5;

/** Evenly spread sizes from 1 to all, with that of the run. */
export function sizesFor(all: number, slots: number): number[] {
  const steps = Math.min(all, sizesMax);
  const even = Array.from({ length: steps }, (_, i) => Math.max(1, Math.round(((i + 1) * all) / steps)));
  return [...new Set([...even, ...(slots >= 1 && slots <= all ? [slots] : [])])].sort((a, b) => a - b);
}

/** The first calls of a log: so many at most, with so many accesses. */
function prefixOf(log: CallLog, accesses: number, callsMost: number): CallLog {
  let calls = Math.min(log.calls, callsMost);
  while (calls > 0 && log.starts[calls]! > accesses) calls--;
  return {
    keys: log.keys.subarray(0, log.starts[calls]!),
    starts: log.starts.subarray(0, calls + 1),
    calls,
  };
}

/** The policy itself at every size, from empty caches or those that it loads at start. */
function policyRates(
  offload: OffloadConfig,
  topK: number,
  calls: readonly ExpertCalls[],
  sizes: readonly number[],
): number[] {
  const { policy, admission, popularity, scope } = offload;
  if (policy.needs.some((need) => need !== "popularity") || (policy.needs.length > 0 && popularity === null)) return [];
  const each = Math.floor(policyAccessesMax / sizes.length / calls.length);
  const logs = calls.map((of) => ({ log: prefixOf(of, each, of.calls), ...of }));
  const accesses = logs.reduce((sum, { log }) => sum + log.keys.length, 0);
  if (accesses === 0) return [];
  return sizes.map((slots) => {
    const hits = logs.reduce((sum, { log, layers, experts }) => {
      const input = { layers, expertsPerLayer: experts, topK, slots, popularity, future: null };
      return sum + replayLog(log, createScopedCache(admitted(policy, admission), scope, input)).hits;
    }, 0);
    return share(hits / accesses);
  });
}
