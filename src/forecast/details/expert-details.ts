import { contiguousMap } from "../../policy/placement/contiguous.ts";
import { noExpert, type Placement } from "../../policy/placement/placement.ts";
import type { Pool } from "../../sim/pool.ts";
import { moeLayers } from "../../sim/step/stage-plan.ts";

/** What the routed experts of a pool did over a run, by MoE layer. */
export interface ExpertDetails {
  /** Of the pool; empty for the only one. */
  readonly pool: string;
  readonly layers: number;
  readonly experts: number;
  readonly ranks: number;
  /** Steps with at least one token. */
  readonly steps: number;
  /** [layers][experts] tokens that chose the expert. */
  readonly uses: Float64Array;
  /** [layers][experts] copies under the placement that the run began with. */
  readonly copies: Uint8Array;
  /** [layers][ranks] (token, expert) pairs, and experts or copies touched, summed over steps. Ranks of all copies of the set of experts. */
  readonly rankPairs: Float64Array;
  readonly rankDistinct: Float64Array;
  /** [layers] mean over steps of the heaviest rank over the mean rank. */
  readonly imbalance: readonly number[];
}

/** null for a pool whose routing is not replayed. */
export function expertDetails({ config, experts }: Pool): ExpertDetails | null {
  const { replay, loads } = experts;
  const { routing } = config;
  if (routing.kind !== "replay" || replay === null || loads === null) return null;
  const count = routing.table.experts;
  const layers = routing.layerMap.length;
  const recorded = replay.expertUses();
  const uses = new Float64Array(layers * count);
  for (const [layer, from] of routing.layerMap.entries())
    uses.set(recorded.subarray(from * count, (from + 1) * count), layer * count);
  const ranks = config.mapping.ep * config.mapping.edp;
  const placement = config.placement ?? contiguousMap(layers, moeLayers(config.model)[0]!.experts, config.mapping.ep);
  return {
    pool: config.name ?? "",
    layers,
    experts: count,
    ranks,
    steps: loads.steps,
    uses,
    copies: copiesOf(placement, count, config.mapping.edp),
    rankPairs: loads.rankPairs,
    rankDistinct: loads.rankDistinct,
    imbalance: loads.layers(new Array<number>(layers).fill(1)).map(({ imbalance }) => imbalance),
  };
}

/** [layers][experts] copies of each expert in all groups of ranks. */
function copiesOf({ layers, logicalExperts }: Placement, experts: number, groups: number): Uint8Array {
  const copies = new Uint8Array(layers * experts);
  const perLayer = logicalExperts.length / layers;
  for (const [i, expert] of logicalExperts.entries())
    if (expert !== noExpert) copies[Math.floor(i / perLayer) * experts + expert]! += groups;
  return copies;
}
