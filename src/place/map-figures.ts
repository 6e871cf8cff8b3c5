import { refuse } from "../core/errors.ts";
import { routableExperts } from "../models/expert-choices.ts";
import type { ModelSpec, MoeFeedForward } from "../models/spec.ts";
import { expertHomes } from "../models/visits.ts";
import { noExpert, type Placement } from "../policy/placement/placement.ts";
import { movedExperts } from "../policy/placement/placement-measures.ts";
import { layerMapOf } from "../resolve/layer-map.ts";
import type { CountsTable } from "../trace/routing-table.ts";

/** Copies of a map: what it costs in memory, and whether ranks hold twins. */
export interface MapCopies {
  /** Slots of a layer beyond one for each expert. */
  readonly redundant: number;
  /** Copies of the expert that has the most. */
  readonly most: number;
  /** Slots, over all layers, whose rank has the expert in another slot too: they take memory and no load off the rank. */
  readonly twins: number;
  /** Empty slots over all layers. */
  readonly empty: number;
}

export function copiesOf(placement: Placement): MapCopies {
  const { layers, experts, ranks, physicalExpertsPerRank: perRank, logicalExperts } = placement;
  const counts = new Uint32Array(layers * experts);
  let [twins, empty] = [0, 0];
  for (let rank = 0; rank < layers * ranks; rank++) {
    const held = new Set<number>();
    for (const expert of logicalExperts.subarray(rank * perRank, (rank + 1) * perRank)) {
      if (expert === noExpert) empty += 1;
      else {
        counts[Math.floor(rank / ranks) * experts + expert]! += 1;
        if (held.has(expert)) twins += 1;
        held.add(expert);
      }
    }
  }
  return { redundant: ranks * perRank - experts, most: counts.reduce((a, b) => Math.max(a, b), 0), twins, empty };
}

/** Expert copies that have to be sent to get from one map to another, and all copies of the second. */
export function movesBetween(from: Placement, to: Placement): { readonly moved: number; readonly of: number } {
  if (from.layers !== to.layers || from.experts !== to.experts || from.ranks !== to.ranks)
    refuse({
      at: "--from",
      expected: `${to.layers} layers of ${to.experts} experts on ${to.ranks} ranks`,
      found: `${from.layers} layers of ${from.experts} on ${from.ranks}`,
    });
  return {
    moved: movedExperts(from, to),
    of: to.logicalExperts.reduce((sum, one) => sum + (one === noExpert ? 0 : 1), 0),
  };
}

/** [MoE layers that hold experts][experts] tokens that a trace sends to each expert of a model. */
export function loadsOfTrace(counts: CountsTable, model: ModelSpec, moe: MoeFeedForward, file: string): Float64Array {
  if (counts.experts !== moe.experts && counts.experts !== routableExperts(moe))
    refuse({ file, expected: `counts of the model's ${moe.experts} experts`, found: `${counts.experts} experts` });
  const homes = expertHomes(model);
  const holding = [...new Set(homes)];
  const loads = new Float64Array(holding.length * moe.experts);
  for (const [visit, traceLayer] of layerMapOf("identity", counts, model).entries())
    for (let step = 0; step < counts.steps; step++)
      for (let expert = 0; expert < moe.experts; expert++)
        loads[holding.indexOf(homes[visit]!) * moe.experts + expert]! +=
          counts.counts[(step * counts.layers + traceLayer) * counts.experts + expert]!;
  return loads;
}
