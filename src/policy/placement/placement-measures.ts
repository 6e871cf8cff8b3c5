import { InvalidInputError, type Problem, refuse } from "../../core/errors.ts";
import { emptySlot, type Placement } from "./placement.ts";

/** Physical slots of one layer. */
const slotsOf = (placement: Placement): number => placement.ranks * placement.slotsPerRank;

/** Everything that makes a placement unusable: wrong size, unknown experts, experts without a copy. */
export function placementProblems(placement: Placement, at = "placement"): Problem[] {
  const { layers, experts, slotExpert } = placement;
  const slots = slotsOf(placement);
  if (slotExpert.length !== layers * slots)
    return [{ at, expected: `${layers} layers x ${slots} slots`, found: `${slotExpert.length} slots` }];
  const problems: Problem[] = [];
  for (let layer = 0; layer < layers; layer++) {
    const copies = new Uint32Array(experts);
    for (let slot = 0; slot < slots; slot++) {
      const expert = slotExpert[layer * slots + slot]!;
      if (expert === emptySlot) continue;
      if (expert < experts) copies[expert]! += 1;
      else problems.push({ at: `${at}[${layer}][${slot}]`, expected: `an expert below ${experts}`, found: expert });
    }
    const missing = copies.indexOf(0);
    if (missing >= 0)
      problems.push({
        at: `${at}[${layer}]`,
        expected: `a slot for every expert`,
        found: `none for expert ${missing}`,
      });
  }
  return problems;
}

/** Replica slots by expert: those of (layer, expert) are slots[starts[i] .. starts[i + 1]), i = layer x experts + expert. */
export interface ReplicaRanks {
  /** [layers x experts + 1] */
  readonly starts: Uint32Array;
  /** Physical slot within the layer of each replica, ascending per expert. */
  readonly slots: Uint16Array;
  /** Rank of each replica. */
  readonly ranks: Uint16Array;
}

/** Where the replicas of each expert are. */
export function ranksOf(placement: Placement): ReplicaRanks {
  const { layers, experts, slotsPerRank, slotExpert } = placement;
  const perLayer = slotsOf(placement);
  const starts = new Uint32Array(layers * experts + 1);
  for (let at = 0; at < slotExpert.length; at++) {
    const expert = slotExpert[at]!;
    if (expert !== emptySlot) starts[Math.floor(at / perLayer) * experts + expert + 1]! += 1;
  }
  for (let i = 1; i < starts.length; i++) starts[i]! += starts[i - 1]!;
  const next = starts.slice();
  const slots = new Uint16Array(starts.at(-1) ?? 0);
  const ranks = new Uint16Array(slots.length);
  for (let at = 0; at < slotExpert.length; at++) {
    const expert = slotExpert[at]!;
    if (expert === emptySlot) continue;
    const entry = Math.floor(at / perLayer) * experts + expert;
    const replica = next[entry]!;
    next[entry] = replica + 1;
    slots[replica] = at % perLayer;
    ranks[replica] = Math.floor((at % perLayer) / slotsPerRank);
  }
  return { starts, slots, ranks };
}

/**
 * Load of each rank when the replicas of an expert share its tokens equally.
 * @param loads [layers][experts] tokens per expert
 * @returns [layers][ranks]
 */
export function rankLoads(placement: Placement, loads: Float64Array): Float64Array {
  const { layers, experts, ranks } = placement;
  const replicas = ranksOf(placement);
  const sums = new Float64Array(layers * ranks);
  for (let i = 0; i < layers * experts; i++) {
    const from = replicas.starts[i]!;
    const to = replicas.starts[i + 1]!;
    const layer = Math.floor(i / experts);
    for (let replica = from; replica < to; replica++)
      sums[layer * ranks + replicas.ranks[replica]!]! += loads[i]! / (to - from);
  }
  return sums;
}

/** Heaviest rank over the mean rank; 1 is perfect, also without any load. */
export function balance(loadOfRank: Float64Array): number {
  let sum = 0;
  let heaviest = 0;
  for (const load of loadOfRank) {
    sum += load;
    heaviest = Math.max(heaviest, load);
  }
  return sum === 0 ? 1 : (heaviest * loadOfRank.length) / sum;
}

/**
 * Expert copies a rank holds after a change of placement and did not hold before, over all layers and ranks: each has
 * to be received over a link. A second copy on a rank that has the expert is local and not counted.
 */
export function movedExperts(from: Placement, to: Placement): number {
  let moved = 0;
  for (let layer = 0; layer < to.layers; layer++)
    for (let rank = 0; rank < to.ranks; rank++) {
      const before = expertsOnRank(from, layer, rank);
      for (const expert of expertsOnRank(to, layer, rank)) if (!before.has(expert)) moved++;
    }
  return moved;
}

function expertsOnRank(placement: Placement, layer: number, rank: number): Set<number> {
  const from = layer * slotsOf(placement) + rank * placement.slotsPerRank;
  const experts = new Set(placement.slotExpert.subarray(from, from + placement.slotsPerRank));
  experts.delete(emptySlot);
  return experts;
}

/**
 * [layers][slots] logical expert of each physical slot, the value of `physical_to_logical_map` in the JSON that SGLang
 * reads with `--init-expert-location`. Refuses empty slots, which that format cannot say.
 */
export function toPhysicalToLogical(placement: Placement): number[][] {
  const problems = placementProblems(placement);
  if (problems.length > 0) throw new InvalidInputError(problems);
  const empty = placement.slotExpert.indexOf(emptySlot);
  const slots = slotsOf(placement);
  if (empty >= 0)
    refuse({
      at: `placement[${Math.floor(empty / slots)}][${empty % slots}]`,
      expected: "an expert in every slot",
      found: "an empty slot",
      hint: "use a number of ranks that divides the experts, or a policy that replicates",
    });
  return Array.from({ length: placement.layers }, (_, layer) => [
    ...placement.slotExpert.subarray(layer * slots, (layer + 1) * slots),
  ]);
}
