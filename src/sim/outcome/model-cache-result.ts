import type { ModelCacheConfig } from "../config.ts";
import type { ModelTurns } from "../model-cache/model-turns.ts";
import type { ModelCacheResult } from "../result.ts";
import type { RunView } from "./run-view.ts";

/** What came of models that take turns. */
export function modelCacheResult(
  { deviceBytes }: ModelCacheConfig,
  { found, missed, stallNs, room }: ModelTurns,
  { pools, replicas }: Pick<RunView, "pools" | "replicas">,
): ModelCacheResult {
  const { tiers } = pools[0]!.config.node;
  const homes = tiers.map(({ id }, tier) => {
    const here = room.sources.filter((source) => source.tier === tier);
    return { tier: id, models: here.length, bytes: here.reduce((sum, { bytes }) => sum + bytes, 0) };
  });
  return {
    models: replicas.length,
    deviceBytes,
    found,
    missed,
    loads: room.loads,
    evictions: room.evictions,
    loadedBytes: room.link.bytes,
    loadNs: room.link.busyNs,
    stallNs,
    homes: homes.filter(({ models }) => models > 0),
  };
}
