import type { Problem } from "../../core/errors.ts";
import { noExpert, type Placement } from "./placement.ts";

/** Physical experts of one layer. */
export const physicalExpertsOf = (placement: Placement): number => placement.ranks * placement.physicalExpertsPerRank;

/** Problems that make a placement unusable: wrong size, unknown experts, experts without a copy. */
export function placementProblems(placement: Placement, at = "placement"): Problem[] {
  const { layers, experts, logicalExperts } = placement;
  const perLayer = physicalExpertsOf(placement);
  if (logicalExperts.length !== layers * perLayer)
    return [
      {
        at,
        expected: `${layers} layers x ${perLayer} physical experts`,
        found: `${logicalExperts.length} physical experts`,
      },
    ];
  const problems: Problem[] = [];
  for (let layer = 0; layer < layers; layer++) {
    const copies = new Uint32Array(experts);
    for (let p = 0; p < perLayer; p++) {
      const expert = logicalExperts[layer * perLayer + p]!;
      if (expert === noExpert) continue;
      if (expert < experts) copies[expert]! += 1;
      else problems.push({ at: `${at}[${layer}][${p}]`, expected: `an expert below ${experts}`, found: expert });
    }
    const missing = copies.indexOf(0);
    if (missing >= 0 && placement.pruned !== true)
      problems.push({
        at: `${at}[${layer}]`,
        expected: `a physical expert for every expert`,
        found: `none for expert ${missing}`,
      });
  }
  return problems;
}

/** Copies of (layer, expert): physicalExperts[starts[i] .. starts[i + 1]) with i = layer x experts + expert. */
export interface ExpertCopies {
  /** [layers x experts + 1] */
  readonly starts: Uint32Array;
  /** [copies] physical expert within the layer, ascending per expert. */
  readonly physicalExperts: Uint16Array;
  /** [copies] rank. */
  readonly ranks: Uint16Array;
}

/** Where the copies of each expert are. */
export function ranksOf(placement: Placement): ExpertCopies {
  const { layers, experts, physicalExpertsPerRank, logicalExperts } = placement;
  const perLayer = physicalExpertsOf(placement);
  const starts = new Uint32Array(layers * experts + 1);
  for (let at = 0; at < logicalExperts.length; at++) {
    const expert = logicalExperts[at]!;
    if (expert !== noExpert) starts[Math.floor(at / perLayer) * experts + expert + 1]! += 1;
  }
  for (let i = 1; i < starts.length; i++) starts[i]! += starts[i - 1]!;
  const next = starts.slice();
  const physicalExperts = new Uint16Array(starts.at(-1) ?? 0);
  const ranks = new Uint16Array(physicalExperts.length);
  for (let at = 0; at < logicalExperts.length; at++) {
    const expert = logicalExperts[at]!;
    if (expert === noExpert) continue;
    const entry = Math.floor(at / perLayer) * experts + expert;
    const copy = next[entry]!;
    next[entry] = copy + 1;
    physicalExperts[copy] = at % perLayer;
    ranks[copy] = Math.floor((at % perLayer) / physicalExpertsPerRank);
  }
  return { starts, physicalExperts, ranks };
}

/**
 * Load of each rank when the copies of an expert share its tokens equally.
 * @param loads [layers][experts] tokens per expert
 * @returns [layers][ranks]
 */
export function rankLoads(placement: Placement, loads: Float64Array): Float64Array {
  return rankLoadsOf(ranksOf(placement), placement, loads);
}

/** The same of copies that are known already. */
export function rankLoadsOf(
  copies: ExpertCopies,
  { layers, experts, ranks }: Pick<Placement, "layers" | "experts" | "ranks">,
  loads: Float64Array,
): Float64Array {
  const sums = new Float64Array(layers * ranks);
  for (let i = 0; i < layers * experts; i++) {
    const from = copies.starts[i]!;
    const to = copies.starts[i + 1]!;
    const layer = Math.floor(i / experts);
    for (let copy = from; copy < to; copy++) sums[layer * ranks + copies.ranks[copy]!]! += loads[i]! / (to - from);
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
 * Expert copies that a rank holds after a change of placement but not before, over all layers and ranks. Each has to be
 * received over a link. A second copy on a rank that has the expert is local and not counted.
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
  const from = layer * physicalExpertsOf(placement) + rank * placement.physicalExpertsPerRank;
  const experts = new Set(placement.logicalExperts.subarray(from, from + placement.physicalExpertsPerRank));
  experts.delete(noExpert);
  return experts;
}
