import { balance } from "../../policy/placement/placement-measures.ts";
import { devicesOfPool } from "../config.ts";
import { cacheResult } from "../offload/cache-reference.ts";
import type { Pool } from "../pool.ts";
import { rebalanceResult } from "../rebalance/rebalance-result.ts";
import { type KvCounts, type PoolResult, type TimeComponent, timeComponents } from "../result.ts";
import { type ReplicaState, replicaStates } from "../scaling/replica-life.ts";

/** What a pool did in a run that ended at `endNs`, from the state of its parts. */
export function poolResult(pool: Pool, endNs: number): PoolResult {
  const { config, role, replicas, cost, experts, memory, scaling } = pool;
  return {
    name: config.name ?? "",
    role,
    devices: devicesOfPool(config),
    replicaBusyNs: replicas.map((replica) => replica.busyNs),
    replicaOnNs: replicas.map(({ life }) => life.onNs(endNs)),
    stateNs: Object.fromEntries(
      replicaStates.map((state) => [state, replicas.reduce((sum, { life }) => sum + life.ns(state, endNs), 0)]),
    ) as Record<ReplicaState, number>,
    scaling: scaling === null ? null : { starts: scaling.starts, mostUp: scaling.mostUp, changes: scaling.changes },
    promptBusyNs: replicas.reduce((total, replica) => total + replica.promptTime.ns, 0),
    time: Object.fromEntries(timeComponents.map((name, i) => [name, cost.components[i]!])) as Record<
      TimeComponent,
      number
    >,
    ...expertLoads(pool, expertSkew(pool)),
    exchange: experts.exchange?.result() ?? null,
    ...(experts.rebalances.length === 0 ? {} : { rebalance: rebalanceResult(pool) }),
    cache: cacheResult(config, experts.offloads),
    memory: memory.map,
    kv: kvCounts(pool),
    speculation: pool.speculation?.counts() ?? null,
  };
}

/** How the experts of a pool are loaded so far. `skew`: heaviest over mean expert of each MoE layer. */
export function expertLoads(
  pool: Pool,
  skew: readonly number[],
): Pick<PoolResult, "layers" | "rankLoad" | "rankBalance"> {
  const { loads } = pool.experts;
  return {
    layers: loads?.layers(skew) ?? [],
    rankLoad: loads?.rankLoad() ?? [],
    rankBalance: loads?.rankBalance() ?? null,
  };
}

function kvCounts({ dpRanks }: Pool): KvCounts {
  const sum = (pick: (dpRank: (typeof dpRanks)[number]) => number) =>
    dpRanks.reduce((total, dpRank) => total + pick(dpRank), 0);
  return {
    ...fullestPool(dpRanks),
    preemptions: sum((dpRank) => dpRank.preemptions),
    prefixHitTokens: sum((dpRank) => dpRank.prefixHitTokens),
    prefixLookupTokens: sum((dpRank) => dpRank.prefixLookupTokens),
  };
}

/** The KV pool that came closest to its capacity. */
function fullestPool(dpRanks: Pool["dpRanks"]): Pick<KvCounts, "blocks" | "peakBlocks"> {
  let fullest = { blocks: 0, peakBlocks: 0 };
  for (const { kv } of dpRanks)
    for (const { capacity, peakUsed } of kv.pools)
      if (fullest.blocks === 0 || peakUsed / capacity > fullest.peakBlocks / fullest.blocks)
        fullest = { blocks: capacity, peakBlocks: peakUsed };
  return fullest;
}

/** Heaviest over mean expert of each MoE layer over the run; 1 where nothing was routed. */
function expertSkew({ config, experts }: Pool): number[] {
  const { routing } = config;
  if (routing.kind !== "replay" || experts.replay === null) return [];
  const uses = experts.replay.expertUses();
  const count = routing.table.experts;
  return routing.layerMap.map((layer) => balance(uses.subarray(layer * count, (layer + 1) * count)));
}
