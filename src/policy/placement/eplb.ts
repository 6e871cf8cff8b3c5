import { InvalidInputError, type Problem } from "../../core/errors.ts";
import type { Placement, PlacementInput, PlacementPolicy } from "./placement.ts";
import { checkPlacementInput, layerLoads } from "./placement-input.ts";

/**
 * DeepSeek's Expert Parallelism Load Balancer. Where expert groups divide evenly over nodes it is hierarchical: groups
 * are packed onto nodes, the hottest experts of a node are replicated until its slots are full, and the replicas are
 * packed onto the node's ranks. Otherwise the same with one group and one node. Sums and quotients are rounded to
 * float32 and ties go to the first, as in the reference (github.com/deepseek-ai/EPLB); it may put two replicas of an
 * expert on one rank.
 */
export const eplb: PlacementPolicy = {
  name: "eplb",
  needs: ["loads"],
  replicates: true,
  place: (input) => {
    checkPlacementInput(input);
    const hierarchical = input.groups % input.nodes === 0;
    const groups = hierarchical ? input.groups : 1;
    const nodes = hierarchical ? input.nodes : 1;
    checkDivisibility(input, groups, nodes);
    const { layers, experts, ranks, slots } = input;
    const slotExpert = new Uint16Array(layers * slots);
    for (let layer = 0; layer < layers; layer++)
      slotExpert.set(
        placeLayer(Float32Array.from(layerLoads(input, layer)), slots, groups, nodes, ranks),
        layer * slots,
      );
    return { layers, experts, ranks, slotsPerRank: slots / ranks, slotExpert } satisfies Placement;
  },
};

function checkDivisibility(input: PlacementInput, groups: number, nodes: number): void {
  const problems: Problem[] = [];
  const divides = (key: string, count: number, name: string, divisor: number) => {
    if (count % divisor !== 0)
      problems.push({ at: `placement.${key}`, expected: `a multiple of ${divisor} ${name} for eplb`, found: count });
  };
  divides("experts", input.experts, "groups", groups);
  divides("ranks", input.ranks, "nodes", nodes);
  if (problems.length > 0) throw new InvalidInputError(problems);
}

/** Logical expert of each physical slot of one layer. */
function placeLayer(loads: Float32Array, slots: number, groups: number, nodes: number, ranks: number): Uint16Array {
  const experts = loads.length;
  const groupSize = experts / groups;
  const expertsPerNode = experts / nodes;
  const nodeSlots = slots / nodes;
  const slotExpert = new Uint16Array(slots);
  const packedGroups = packBalanced(groupSums(loads, groupSize), nodes);
  for (let node = 0; node < nodes; node++) {
    const local = Uint16Array.from({ length: expertsPerNode }, (_, i) => {
      const group = packedGroups[node * (groups / nodes) + Math.floor(i / groupSize)]!;
      return group * groupSize + (i % groupSize);
    });
    const localLoads = Float32Array.from(local, (expert) => loads[expert]!);
    const { replicaOf, count } = replicate(localLoads, nodeSlots);
    const replicaLoads = Float32Array.from(replicaOf, (i) => localLoads[i]! / count[i]!);
    const packed = packBalanced(replicaLoads, ranks / nodes);
    for (let slot = 0; slot < nodeSlots; slot++)
      slotExpert[node * nodeSlots + slot] = local[replicaOf[packed[slot]!]!]!;
  }
  return slotExpert;
}

function groupSums(loads: Float32Array, groupSize: number): Float32Array {
  const sums = new Float32Array(loads.length / groupSize);
  for (let expert = 0; expert < loads.length; expert++) {
    const group = Math.floor(expert / groupSize);
    sums[group] = Math.fround(sums[group]! + loads[expert]!);
  }
  return sums;
}

/**
 * Packs items into packs of equal size: by descending load, each to the lightest pack with room. Returns the items in
 * pack order: pack p holds entries [p x size, (p + 1) x size), in the order they were added.
 */
function packBalanced(loads: Float32Array, packs: number): Uint16Array {
  const items = loads.length;
  const size = items / packs;
  if (size === 1) return Uint16Array.from({ length: items }, (_, item) => item);
  const order = Uint16Array.from({ length: items }, (_, item) => item);
  order.sort((a, b) => loads[b]! - loads[a]! || a - b);
  const packed = new Uint16Array(items);
  const packLoad = new Float32Array(packs);
  const packItems = new Uint32Array(packs);
  for (const item of order) {
    let lightest = -1;
    for (let pack = 0; pack < packs; pack++) {
      if (packItems[pack] === size) continue;
      if (lightest < 0 || packLoad[pack]! < packLoad[lightest]!) lightest = pack;
    }
    packed[lightest * size + packItems[lightest]!] = item;
    packItems[lightest]! += 1;
    packLoad[lightest] = Math.fround(packLoad[lightest]! + loads[item]!);
  }
  return packed;
}

/** One replica of each item, then again and again one of the item with the highest load per replica. */
function replicate(loads: Float32Array, slots: number): { replicaOf: Uint16Array; count: Uint16Array } {
  const items = loads.length;
  const replicaOf = Uint16Array.from({ length: slots }, (_, slot) => slot);
  const count = new Uint16Array(items).fill(1);
  for (let slot = items; slot < slots; slot++) {
    let hottest = 0;
    let highest = -1;
    for (let item = 0; item < items; item++) {
      const share = Math.fround(loads[item]! / count[item]!);
      if (share <= highest) continue;
      hottest = item;
      highest = share;
    }
    replicaOf[slot] = hottest;
    count[hottest]! += 1;
  }
  return { replicaOf, count };
}
