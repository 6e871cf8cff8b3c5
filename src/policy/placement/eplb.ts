import { InfeasibleError, InvalidInputError, type Problem } from "../../core/errors.ts";
import { copyHottest as copiesOf, type LayerRanks, packCopies, usablePlaces } from "./layer-copies.ts";
import { layerRanks } from "./layer-ranks.ts";
import type { LivePlacementPolicy, Placement, PlacementInput } from "./placement.ts";
import { checkPlacementInput, layerLoads, placementFromCopies } from "./placement-input.ts";
import { areAlike } from "./rank-rooms.ts";

/**
 * DeepSeek's Expert Parallelism Load Balancer. It is hierarchical where groups of experts divide evenly over nodes.
 * Groups are packed onto nodes, the hottest experts of a node are copied until it is full, and the copies are packed
 * onto the node's ranks. Otherwise the same with one group and one node. Sums and quotients are rounded to float32 and
 * ties go to the first, as in the reference (github.com/deepseek-ai/EPLB); it may put two copies of an expert on one
 * rank. The reference knows no unequal ranks and forbids no twins: there, the copies of a node are packed onto the rank that is
 * done first, in float64.
 */
export const eplb: LivePlacementPolicy = {
  name: "eplb",
  rule: "DeepSeek's EPLB: copies of the hottest experts, packed over nodes and ranks",
  parameters: {},
  needs: ["loads"],
  makesCopies: true,
  place: (input) => {
    checkPlacementInput(input);
    const hierarchical = input.groups % input.nodes === 0;
    const groups = hierarchical ? input.groups : 1;
    const nodes = hierarchical ? input.nodes : 1;
    checkDivisibility(input, groups, nodes);
    const { layers, experts, ranks, physicalExperts } = input;
    if (!areAlike(input) || (input.rankCopiesMax?.[0] ?? physicalExperts) < physicalExperts / ranks) {
      const on = layerRanks(input, true);
      return placementFromCopies(input, (layer) => packUnequal(input, layer, on[layer]!, groups, nodes));
    }
    const logicalExperts = new Uint16Array(layers * physicalExperts);
    for (let layer = 0; layer < layers; layer++)
      logicalExperts.set(
        placeLayer(Float32Array.from(layerLoads(input, layer)), physicalExperts, groups, nodes, ranks),
        layer * physicalExperts,
      );
    return {
      layers,
      experts,
      ranks,
      physicalExpertsPerRank: physicalExperts / ranks,
      logicalExperts,
    } satisfies Placement;
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

/** Logical expert of each physical one of a layer. */
function placeLayer(
  loads: Float32Array,
  physicalExperts: number,
  groups: number,
  nodes: number,
  ranks: number,
): Uint16Array {
  const experts = loads.length;
  const groupSize = experts / groups;
  const expertsPerNode = experts / nodes;
  const perNode = physicalExperts / nodes;
  const logicalExperts = new Uint16Array(physicalExperts);
  const packedGroups = packBalanced(groupSums(loads, groupSize), nodes);
  for (let node = 0; node < nodes; node++) {
    const local = Uint16Array.from({ length: expertsPerNode }, (_, i) => {
      const group = packedGroups[node * (groups / nodes) + Math.floor(i / groupSize)]!;
      return group * groupSize + (i % groupSize);
    });
    const localLoads = Float32Array.from(local, (expert) => loads[expert]!);
    const { copyOf, count } = copyHottest(localLoads, perNode);
    const copyLoads = Float32Array.from(copyOf, (i) => localLoads[i]! / count[i]!);
    const packed = packBalanced(copyLoads, ranks / nodes);
    for (let p = 0; p < perNode; p++) logicalExperts[node * perNode + p] = local[copyOf[packed[p]!]!]!;
  }
  return logicalExperts;
}

/** [ranks] experts on each rank of a layer where the ranks are unequal or may not hold two copies of an expert. */
function packUnequal(
  input: PlacementInput,
  layer: number,
  { rooms, speeds, twins }: LayerRanks,
  groups: number,
  nodes: number,
): number[][] {
  const { experts, ranks } = input;
  const loads = layerLoads(input, layer);
  const groupSize = experts / groups;
  const packedGroups = packBalanced(groupSums(Float32Array.from(loads), groupSize), nodes);
  return Array.from({ length: nodes }, (_, node) => {
    const local = Array.from(packedGroups.subarray((node * groups) / nodes, ((node + 1) * groups) / nodes)).flatMap(
      (group) => Array.from({ length: groupSize }, (_expert, i) => group * groupSize + i),
    );
    const [first, end] = [(node * ranks) / nodes, ((node + 1) * ranks) / nodes];
    const on = {
      rooms: Array.from(rooms).slice(first, end),
      speeds: Array.from(speeds).slice(first, end),
      twins,
    };
    const places = usablePlaces(on, local.length);
    if (places < local.length)
      throw new InfeasibleError(
        `node ${node} has places for ${places} expert copies of a layer, but ${local.length} experts of its groups`,
      );
    const localLoads = local.map((expert) => loads[expert]!);
    const { byRank } = packCopies(localLoads, copiesOf(localLoads, on, places), on);
    return byRank.map((held) => held.map((i) => local[i]!));
  }).flat();
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
 * pack order. Pack p holds entries [p x size, (p + 1) x size), in the order in which they were added.
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

/** One copy of each item first; each further copy goes to the item with the highest load per copy. */
function copyHottest(loads: Float32Array, physicalExperts: number): { copyOf: Uint16Array; count: Uint16Array } {
  const items = loads.length;
  const copyOf = Uint16Array.from({ length: physicalExperts }, (_, p) => p);
  const count = new Uint16Array(items).fill(1);
  for (let p = items; p < physicalExperts; p++) {
    let hottest = 0;
    let highest = -1;
    for (let item = 0; item < items; item++) {
      const share = Math.fround(loads[item]! / count[item]!);
      if (share <= highest) continue;
      hottest = item;
      highest = share;
    }
    copyOf[p] = hottest;
    count[hottest]! += 1;
  }
  return { copyOf, count };
}
