import type { Figures } from "../../metrics/figures.ts";
import { balance } from "../../policy/placement/placement-measures.ts";
import type { ResolvedScenario } from "../../resolve/resolved.ts";
import { cacheCounts } from "../../sim/offload/cache-reference.ts";
import { expertLoads } from "../../sim/outcome/pool-result.ts";
import type { RunView } from "../../sim/outcome/run-view.ts";
import type { Pool } from "../../sim/pool.ts";
import { type CacheResult, type TimeComponent, timeComponents } from "../../sim/result.ts";
import { timeShares } from "../bottleneck.ts";
import { expertBalance } from "../expert-balance.ts";
import { type CacheDetails, cacheDetails } from "./cache-details.ts";
import { type ExpertDetails, expertDetails } from "./expert-details.ts";

/** A pool of a run that goes on. The figures are those of a forecast, as far as they are known before the end. */
export interface PoolSoFar {
  /** Empty for the only one. */
  readonly name: string;
  readonly placement: string;
  /** Without what ranks sent one another. null while nothing was routed. */
  readonly experts: Figures["experts"];
  /** Without a reference, which is replayed at the end. null without expert caches. */
  readonly cache: CacheResult | null;
  readonly timeShare: Readonly<Record<TimeComponent, number>>;
  /** Without placements beside that of the run. null for a pool whose routing is not replayed. */
  readonly expertDetails: ExpertDetails | null;
  /** Without the curve of LRU, for which all accesses are replayed. */
  readonly cacheDetails: CacheDetails | null;
}

/**
 * What the experts and caches of a run did so far, at the cost of some milliseconds. What takes longer is left out: all requests, accesses
 * that are replayed, placements that are made, every pair of ranks. Nothing of the run changes. The arrays are their own.
 */
export interface DetailsSoFar {
  readonly simulatedNs: number;
  readonly pools: readonly PoolSoFar[];
}

export const detailsSoFar = (run: RunView, resolved: ResolvedScenario): DetailsSoFar => ({
  simulatedNs: run.nowNs,
  pools: run.pools.map((pool, i) => poolSoFar(pool, [resolved, ...(resolved.otherPools ?? [])][i]!.placement)),
});

function poolSoFar(pool: Pool, placement: string): PoolSoFar {
  const { config, experts, cost } = pool;
  const counted = expertDetails(pool, false);
  const time = Object.fromEntries(timeComponents.map((name, i) => [name, cost.components[i]!]));
  return {
    name: config.name ?? "",
    placement,
    experts: expertBalance({ ...expertLoads(pool, counted === null ? [] : skewOf(counted)), exchange: null }),
    cache: cacheCounts(config, experts.offloads),
    timeShare: timeShares(time as Record<TimeComponent, number>),
    expertDetails: counted,
    cacheDetails: cacheDetails(pool, false),
  };
}

const skewOf = ({ layers, experts, uses }: ExpertDetails): number[] =>
  Array.from({ length: layers }, (_, layer) => balance(uses.subarray(layer * experts, (layer + 1) * experts)));
