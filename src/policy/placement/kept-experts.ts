import { noExpert, type Placement, type PlacementInput } from "./placement.ts";

/** Experts that a layer still has, ascending. */
export function keptOf(kept: Uint8Array, experts: number, layer: number): number[] {
  return Array.from({ length: experts }, (_, expert) => expert).filter(
    (expert) => kept[layer * experts + expert] === 1,
  );
}

/**
 * Places the experts that transforms have left of a model, `kept` [layers][experts]; the others have no copy. Layers with as many
 * experts are one problem of that many, renumbered from 0, so that any policy that goes by loads alone can place them. Each layer
 * gets its experts, rounded up to whole ranks, or with `redundant` copies, which is the caller's to make divisible.
 */
export async function placeKept(
  input: PlacementInput,
  kept: Uint8Array,
  redundant: number,
  place: (input: PlacementInput) => Placement | Promise<Placement>,
): Promise<Placement> {
  const { layers, experts, ranks, loads } = input;
  const lists = Array.from({ length: layers }, (_, layer) => keptOf(kept, experts, layer));
  const perRank = (count: number): number => Math.ceil((count + redundant) / ranks);
  const physicalExpertsPerRank = Math.max(...lists.map(({ length }) => perRank(length)));
  const perLayer = physicalExpertsPerRank * ranks;
  const logicalExperts = new Uint16Array(layers * perLayer).fill(noExpert);
  for (const count of new Set(lists.map(({ length }) => length))) {
    const alike = Array.from(lists.keys()).filter((layer) => lists[layer]!.length === count);
    const placed = await place({
      ...input,
      previous: null,
      layers: alike.length,
      experts: count,
      // Groups of a router are no longer as large as one another.
      groups: 1,
      physicalExperts: perRank(count) * ranks,
      loads:
        loads &&
        Float64Array.from(alike.flatMap((layer) => lists[layer]!.map((expert) => loads[layer * experts + expert]!))),
    });
    const width = placed.physicalExpertsPerRank;
    for (const [i, layer] of alike.entries())
      for (let p = 0; p < width * ranks; p++) {
        const number = placed.logicalExperts[i * width * ranks + p]!;
        if (number !== noExpert)
          logicalExperts[layer * perLayer + Math.floor(p / width) * physicalExpertsPerRank + (p % width)] =
            lists[layer]![number]!;
      }
  }
  return { layers, experts, ranks, physicalExpertsPerRank, logicalExperts, pruned: true };
}

/** Experts that a rank would hold of a layer if the kept ones stayed where a contiguous layout had them all. */
export interface LeftInPlace {
  readonly fewest: number;
  readonly most: number;
  /** Of the fullest rank, mean over layers. */
  readonly meanMost: number;
}

export function leftInPlace(kept: Uint8Array, experts: number, ranks: number): LeftInPlace {
  const layers = kept.length / experts;
  const width = Math.ceil(experts / ranks);
  const held = new Uint32Array(layers * ranks);
  for (let at = 0; at < kept.length; at++)
    held[Math.floor(at / experts) * ranks + Math.floor((at % experts) / width)]! += kept[at]!;
  let sum = 0;
  for (let layer = 0; layer < layers; layer++) sum += Math.max(...held.subarray(layer * ranks, (layer + 1) * ranks));
  return {
    fewest: held.reduce((a, b) => Math.min(a, b)),
    most: held.reduce((a, b) => Math.max(a, b)),
    meanMost: sum / layers,
  };
}

/**
 * Most experts that a rank holds over some layers, copies counted; where places stay empty, they are not. `weightOf` a layer is what
 * each of its experts counts.
 */
export function mostHeld(
  { ranks, physicalExpertsPerRank, logicalExperts }: Placement,
  layers: readonly number[],
  weightOf: (layer: number) => number = () => 1,
): number {
  let most = 0;
  for (let rank = 0; rank < ranks; rank++) {
    let held = 0;
    for (const layer of layers)
      for (let p = 0; p < physicalExpertsPerRank; p++)
        if (logicalExperts[(layer * ranks + rank) * physicalExpertsPerRank + p] !== noExpert) held += weightOf(layer);
    most = Math.max(most, held);
  }
  return most;
}

/** [layers] different experts that a placement holds. */
export function expertsLeft({ layers, ranks, physicalExpertsPerRank, logicalExperts }: Placement): number[] {
  const perLayer = ranks * physicalExpertsPerRank;
  return Array.from({ length: layers }, (_, layer) => {
    const held = new Set(logicalExperts.subarray(layer * perLayer, (layer + 1) * perLayer));
    held.delete(noExpert);
    return held.size;
  });
}
