import { InfeasibleError } from "../../core/errors.ts";
import { formatBytes } from "../../core/units.ts";
import type { ModelCacheConfig } from "../config.ts";
import type { Deployment } from "../deployment.ts";
import { modelLoads } from "./model-loads.ts";
import { ModelRoom } from "./model-room.ts";
import { ModelTurns } from "./model-turns.ts";

/** What turns need of the event loop. */
export interface TurnEvents {
  /** A model may try to step. */
  readonly wake: (model: number, atNs: number) => void;
  readonly loadedLater: (model: number, atNs: number) => void;
}

/**
 * The models of a deployment, one a replica, in turn on its devices. Throws InfeasibleError for one that does not fit beside those
 * that never leave.
 */
export function buildModelTurns(config: ModelCacheConfig, deployment: Deployment, events: TurnEvents): ModelTurns {
  const { pools, replicas } = deployment;
  mustFit(config, deployment);
  const begun = (model: number) => replicas[model]!.begunCount();
  const room = new ModelRoom(
    replicas.map((replica) => deployment.poolOf(replica).memory.deviceBytes),
    modelLoads(pools, config.loadOverheadNs),
    config.deviceBytes,
    config.keep.flatMap((pool) => pools[pool]!.replicas.map(({ place }) => place.index)),
    {
      begun,
      admit: (model, may) => {
        for (const dpRank of replicas[model]!.dpRanks) dpRank.admits = may;
      },
      ready: events.wake,
      left: (model) => deployment.poolOf(replicas[model]!).forget(replicas[model]!),
      loadedLater: events.loadedLater,
    },
  );
  return new ModelTurns(room, { begun, wanted: (model) => replicas[model]!.wanted(), wake: events.wake });
}

function mustFit({ deviceBytes, keep }: ModelCacheConfig, { pools }: Deployment): void {
  const kept = keep.reduce((sum, pool) => sum + pools[pool]!.memory.deviceBytes * pools[pool]!.replicas.length, 0);
  const beside = kept > 0 ? ` beside ${formatBytes(kept)} of models that stay` : "";
  if (kept > deviceBytes)
    throw new InfeasibleError(
      `models that stay need ${formatBytes(kept)} of a device, ${formatBytes(deviceBytes)} are for models`,
    );
  for (const [i, { config, memory }] of pools.entries())
    if (!keep.includes(i) && memory.deviceBytes > deviceBytes - kept)
      throw new InfeasibleError(
        `pool ${config.name}: its model needs ${formatBytes(memory.deviceBytes)} of a device${beside}, ` +
          `${formatBytes(deviceBytes)} are for models (modelCache.memory, modelCache.kvMemory)`,
      );
}
