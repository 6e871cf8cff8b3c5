import type { Placement } from "../../policy/placement/placement.ts";
import type { PoolConfig } from "../config.ts";
import { stageRanks } from "../mapping.ts";
import { LoadWindow } from "./load-window.ts";
import { moveTime } from "./move-time.ts";
import { type RebalanceSetting, ReplicaRebalance } from "./replica-rebalance.ts";

/** The experts of one replica under a map, and what follows from it. */
export interface PlacedReplica {
  /** Puts a map in use. */
  place(map: Placement): void;
  /** Counts anew what follows from the map of some MoE layers. */
  changed(layers: readonly number[]): void;
}

/** Experts of a pool before they are placed anew. */
export interface PlacedExperts {
  readonly initial: Placement;
  /** [MoE layers] recorded layer that each replays, layer that holds its experts, and pipeline stage. */
  readonly layerMap: readonly number[];
  readonly homes: readonly number[];
  readonly stageOf: readonly number[];
  /** Bytes of an expert on one device. */
  readonly sliceBytes: number;
}

/** [replicas] of a pool, each with a map of its own; none where the map never changes. */
export function buildRebalances(
  config: PoolConfig,
  { initial, layerMap, homes, stageOf, sliceBytes }: PlacedExperts,
  replicas: readonly PlacedReplica[],
): ReplicaRebalance[] {
  const { rebalance, mapping } = config;
  if (rebalance === undefined) return [];
  const { plan, placement, values, nodes, groups, limits } = rebalance;
  const holding = [...new Set(homes)];
  const visits = holding.map((home) => homes.flatMap((each, layer) => (each === home ? [layer] : [])));
  const setting: RebalanceSetting = {
    plan,
    placement,
    ...(values === undefined ? {} : { values }),
    nodes,
    groups,
    limits,
    initial,
    visits,
    stageOf: holding.map((home) => stageOf[home]!),
    times: Array.from({ length: mapping.pp }, (_, stage) => moveTime(config, stage, sliceBytes, plan.source)),
    expertBytes: (sliceBytes * stageRanks(mapping)) / mapping.ep,
  };
  return replicas.map(({ place, changed }) => {
    const replayed = visits.map((layers) => layers.map((layer) => layerMap[layer]!));
    const window = new LoadWindow(initial.experts, replayed, plan.windowPasses);
    return new ReplicaRebalance(setting, window, (map, layers) => {
      place(map);
      changed(layers);
    });
  });
}
