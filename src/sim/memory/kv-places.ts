import type { CachePools } from "../../engine/engine-profile.ts";
import type { PoolConfig } from "../config.ts";
import type { LayerCache } from "./layer-cache.ts";

type Window = Extract<LayerCache, { kind: "window" }>;
type State = Extract<LayerCache, { kind: "state" }>;

/** Caches by the pool in which the engine keeps them. */
export interface CachePlaces {
  /** Full caches, and those that share their pool. Windows that the engine keeps whole count as full caches. */
  readonly main: LayerCache[];
  /** In pools of their own. */
  readonly windows: Window[];
  readonly states: State[];
  /** Reserved for every sequence, in no pool. */
  readonly reserved: (Window | State)[];
}

export function placeCaches(caches: readonly LayerCache[], pools: CachePools): CachePlaces {
  const places: CachePlaces = { main: [], windows: [], states: [], reserved: [] };
  for (const cache of caches) {
    const pool = poolOf(cache, pools);
    if (cache.kind === "full" || pool === "shared") places.main.push(cache);
    else if (pool === "reserved") places.reserved.push(cache);
    else if (cache.kind === "state") places.states.push(cache);
    else if (pool === "full") places.main.push({ kind: "full", bytesPerToken: cache.bytesPerToken });
    else places.windows.push(cache);
  }
  return places;
}

function poolOf(cache: LayerCache, pools: CachePools): CachePools["windows"] {
  if (cache.kind === "full") return "shared";
  if (cache.kind === "state") return pools.states;
  return cache.chunked ? pools.chunks : pools.windows;
}

/** Bytes of reserved caches: windows and states of the most sequences. Windows are no longer than their contexts. */
export function reservedBytes(reserved: CachePlaces["reserved"], { scheduler, speculation }: PoolConfig): number {
  const { maxSequences, maxBatchTokens, contextTokensMax } = scheduler;
  const states = maxSequences * (1 + (speculation?.draftTokens ?? 0));
  let bytes = 0;
  for (const cache of reserved) {
    if (cache.kind === "state") bytes += cache.bytes * states;
    else {
      const inWindows = cache.windowTokens * maxSequences + maxBatchTokens;
      bytes += cache.bytesPerToken * Math.min(inWindows, contextTokensMax * maxSequences);
    }
  }
  return Math.ceil(bytes);
}
