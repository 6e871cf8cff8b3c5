import type { Placement } from "../policy/placement/placement.ts";
import { physicalExpertsOf } from "../policy/placement/placement-measures.ts";
import type { PoolConfig } from "../sim/config.ts";
import { stageRanks } from "../sim/mapping.ts";
import { expertMoves } from "../sim/rebalance/expert-moves.ts";
import { moveTime } from "../sim/rebalance/move-time.ts";
import { holdingLayers, stagePlans } from "../sim/step/stage-plan.ts";

/** What it takes a replica to go from one placement to another while it serves. */
export interface MigrationCost {
  /** Copies of experts that a rank has to be sent. */
  readonly experts: number;
  /** Bytes over all links, of all devices. */
  readonly bytes: number;
  /** Time of the device that sends or receives most, with nothing else on its links, ns. */
  readonly ns: number;
}

/** Moves all layers of a stage at once, and all stages beside one another. `sliceBytes`: of an expert on one device. */
export function migrationCost(
  from: Placement,
  to: Placement,
  config: Pick<PoolConfig, "mapping" | "node" | "model">,
  sliceBytes: number,
): MigrationCost {
  const { mapping, model } = config;
  let experts = 0;
  let ns = 0;
  for (const [stage, plan] of stagePlans(model, mapping.pp).entries()) {
    const time = moveTime(config, stage, sliceBytes, "ranks");
    const sent = new Uint32Array(mapping.ep);
    const moves = holdingLayers(plan, model).flatMap((layer) =>
      expertMoves(slotsOf(from, layer), slotsOf(to, layer), time.nodeOf, sent),
    );
    experts += moves.length;
    ns = Math.max(ns, time.ns(moves));
  }
  return { experts, bytes: (experts * sliceBytes * stageRanks(mapping)) / mapping.ep, ns };
}

/** [slots] of a layer. */
function slotsOf(placement: Placement, layer: number): Uint16Array {
  const slots = physicalExpertsOf(placement);
  return placement.logicalExperts.subarray(layer * slots, (layer + 1) * slots);
}
