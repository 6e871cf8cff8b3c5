import type { CacheScope } from "../../policy/cache/cache-scope.ts";
import { type HitCurve, lruHitCurve, sumOfCurves } from "../../policy/cache/hit-curve.ts";
import type { Offloads } from "../../sim/offload/build-offloads.ts";
import type { MeanCourseResult } from "../../sim/outcome/mean-course.ts";
import type { Pool } from "../../sim/pool.ts";
import { stagePlans } from "../../sim/step/stage-plan.ts";

/** LRU at every size on the recorded accesses of a run. */
export interface LruSizes {
  /** Accesses that were replayed, and of them the misses at every size. */
  readonly accesses: number;
  readonly coldMisses: number;
  /** [slots + 1] hits with so many slots (of a layer, or in all), up to the size that holds all that a cache was asked for. */
  readonly hits: Float64Array;
}

/** What the expert caches of a pool did over a run. */
export interface CacheDetails {
  /** Of the pool; empty for the only one. */
  readonly pool: string;
  readonly layers: number;
  readonly experts: number;
  readonly ranks: number;
  readonly scope: CacheScope;
  /** Slots of a rank: of a layer (their mean where layers differ), or in all with scope `global`. */
  readonly slots: number;
  /** Whether layers differ in their slots. */
  readonly unequal: boolean;
  /** Memory that a slot more takes on a device: with scope `layer` one in every layer of its stage. */
  readonly slotBytes: number;
  /** [layers][experts] accesses and misses of an expert, of all ranks and replicas. */
  readonly asked: Float64Array;
  readonly missed: Float64Array;
  /** [layers][ranks] the same by expert rank, of all replicas. */
  readonly rankAsked: Float64Array;
  readonly rankMissed: Float64Array;
  /** [layers] misses of experts that a cache was asked for the first time in this run. */
  readonly cold: Float64Array;
  /** Accesses (`weights`) and hits (`amounts`) over time. */
  readonly course: MeanCourseResult;
  /** null where no access was recorded, or none was replayed. */
  readonly lru: LruSizes | null;
}

/** Accesses that are replayed for the curve: so many take a fifth of a second. */
const replayedMax = 4_000_000;

/** null for a pool without expert caches. `curve`: whether accesses are replayed for that of LRU. */
export function cacheDetails({ config, experts }: Pool, curve = true): CacheDetails | null {
  const { offload, routing, mapping } = config;
  const { caches } = experts.offloads;
  const [first] = caches;
  if (offload === null || routing.kind !== "replay" || first === undefined) return null;
  const layers = routing.layerMap.length;
  const count = routing.table.experts;
  const ranks = mapping.ep;
  const asked = new Float64Array(layers * count);
  const missed = new Float64Array(layers * count);
  const rankAsked = new Float64Array(layers * ranks);
  const rankMissed = new Float64Array(layers * ranks);
  const cold = new Float64Array(layers);
  for (const [i, { uses }] of caches.entries())
    for (let key = 0; key < layers * count; key++) {
      const at = Math.floor(key / count) * ranks + (i % ranks);
      asked[key]! += uses.asked[key]!;
      missed[key]! += uses.missed[key]!;
      rankAsked[at]! += uses.asked[key]!;
      rankMissed[at]! += uses.missed[key]!;
    }
  for (const { uses } of caches) for (let layer = 0; layer < layers; layer++) cold[layer]! += uses.cold[layer]!;
  const held = Math.max(...stagePlans(config.model, mapping.pp).map(({ expertLayers }) => expertLayers));
  return {
    pool: config.name ?? "",
    layers,
    experts: count,
    ranks,
    scope: offload.scope,
    slots: offload.slots,
    unequal: offload.slotsPerLayer !== undefined,
    slotBytes: first.expertBytes * (offload.scope === "layer" ? held : 1),
    asked,
    missed,
    rankAsked,
    rankMissed,
    cold,
    course: first.uses.course.result(),
    lru: curve ? lruSizes(experts.offloads, offload.scope, layers, count) : null,
  };
}

/** The curve of all caches together, each on an equal part of the accesses that are replayed. */
function lruSizes({ logs }: Offloads, scope: CacheScope, layers: number, experts: number): LruSizes | null {
  const each = Math.floor(replayedMax / logs.length);
  const curves = logs.map((recorder): HitCurve => {
    const log = recorder.toLog();
    let { calls } = log;
    while (calls > 0 && log.starts[calls]! > each) calls--;
    const keys = log.keys.subarray(0, log.starts[calls]!);
    return lruHitCurve({ keys, starts: log.starts, calls, layers, experts }, scope);
  });
  const { accesses, coldMisses, hits } = sumOfCurves(curves);
  if (accesses === 0) return null;
  const most = hits.at(-1)!;
  let size = hits.length - 1;
  while (size > 0 && hits[size - 1] === most) size--;
  return { accesses, coldMisses, hits: hits.slice(0, size + 1) };
}
