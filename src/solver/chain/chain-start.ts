import { type ChainProblem, itemsByGpu, pairCost } from "./chain-problem.ts";

/** [layers][gpus] clusters in order; where they differ in size, the larger ones of a layer to the GPUs that hold the fewest experts. */
export function startChain(problem: ChainProblem): Uint16Array {
  const { layers, gpus, clusterItems } = problem;
  const gpuOf = Uint16Array.from({ length: layers * gpus }, (_, cluster) => cluster % gpus);
  if (clusterItems === undefined) return gpuOf;
  const held = new Float64Array(gpus);
  for (let layer = 0; layer < layers; layer++) {
    const size = (cluster: number) => clusterItems[layer * gpus + cluster]!;
    const clusters = Array.from({ length: gpus }, (_, at) => at).sort((a, b) => size(b) - size(a) || a - b);
    const emptiest = Array.from(held.keys()).sort((a, b) => held[a]! - held[b]! || a - b);
    for (const [at, cluster] of clusters.entries()) gpuOf[layer * gpus + cluster] = emptiest[at]!;
    for (const [at, cluster] of clusters.entries()) held[emptiest[at]!]! += size(cluster);
  }
  return gpuOf;
}

/** Time of the exchanges of a layer with both neighbours. */
export const costAround = (problem: ChainProblem, gpuOf: Uint16Array, layer: number): number =>
  (layer > 0 ? pairCost(problem, gpuOf, layer - 1) : 0) +
  (layer + 1 < problem.layers ? pairCost(problem, gpuOf, layer) : 0);

/** An exchange of two clusters of a layer. */
interface Swap {
  readonly first: number;
  readonly second: number;
  /** What it takes off the experts beyond the limit, and off the sum of squares of what GPUs hold. */
  readonly relief: number;
  readonly evened: number;
  readonly cost: number;
}

/**
 * Exchanges clusters of a layer until no GPU holds more experts than it may, each time where it costs least for what it relieves; where
 * nothing relieves, one that evens out. Both fall together, so it ends.
 * @returns whether the limit is kept now
 */
export function repairChain(problem: ChainProblem, gpuOf: Uint16Array): boolean {
  const { clusterItems, gpuItemsMax = Infinity } = problem;
  const held = itemsByGpu(problem, gpuOf);
  if (clusterItems === undefined) return true;
  while (held.some((items) => items > gpuItemsMax)) {
    const swap = bestRepair(problem, gpuOf, held);
    if (swap === null) return false;
    const { first, second } = swap;
    const moved = clusterItems[first]! - clusterItems[second]!;
    const [from, to] = [gpuOf[first]!, gpuOf[second]!];
    [gpuOf[first], gpuOf[second]] = [to, from];
    held[from]! -= moved;
    held[to]! += moved;
  }
  return true;
}

function bestRepair(problem: ChainProblem, gpuOf: Uint16Array, held: Float64Array): Swap | null {
  const { layers, gpus, clusterItems, gpuItemsMax = Infinity } = problem;
  const beyond = (items: number) => Math.max(0, items - gpuItemsMax);
  let best: Swap | null = null;
  for (let layer = 0; layer < layers; layer++) {
    const before = costAround(problem, gpuOf, layer);
    for (let first = layer * gpus; first < (layer + 1) * gpus; first++)
      for (let second = layer * gpus; second < (layer + 1) * gpus; second++) {
        const moved = clusterItems![first]! - clusterItems![second]!;
        const [from, to] = [gpuOf[first]!, gpuOf[second]!];
        const [more, fewer] = [held[from]!, held[to]!];
        const evened = 2 * moved * (more - fewer - moved);
        const relief = beyond(more) + beyond(fewer) - beyond(more - moved) - beyond(fewer + moved);
        if (moved <= 0 || relief < 0 || evened <= 0) continue;
        if (best !== null && best.relief > 0 && relief === 0) continue;
        [gpuOf[first], gpuOf[second]] = [to, from];
        const cost = costAround(problem, gpuOf, layer) - before;
        [gpuOf[first], gpuOf[second]] = [from, to];
        const swap = { first, second, relief, evened, cost };
        if (best === null || better(swap, best)) best = swap;
      }
  }
  return best;
}

/** Relief before none, then the least cost for what is relieved or evened out. */
function better(a: Swap, b: Swap): boolean {
  if (a.relief > 0 !== b.relief > 0) return a.relief > 0;
  const gain = ({ relief, evened }: Swap) => (relief > 0 ? relief : evened);
  // Costs by gain; what saves time comes before all, the more the better.
  if (a.cost <= 0 || b.cost <= 0) return a.cost < b.cost;
  return a.cost * gain(b) < b.cost * gain(a);
}

/**
 * The least limit of experts by GPU that evening out reaches, at least that of the mean: 13 of MoETuner is met where it equals the mean.
 */
export function reachableItemsMax(problem: ChainProblem): number {
  const { clusterItems, gpus } = problem;
  if (clusterItems === undefined) return Infinity;
  const mean = Math.ceil(clusterItems.reduce((sum, items) => sum + items, 0) / gpus);
  // Time plays no part here.
  const still: ChainProblem = { ...problem, traffic: new Float64Array(problem.traffic.length), gpuItemsMax: mean };
  const gpuOf = startChain(still);
  repairChain(still, gpuOf);
  return Math.max(mean, ...itemsByGpu(still, gpuOf));
}
