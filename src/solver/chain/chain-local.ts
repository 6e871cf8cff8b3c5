import { assignLinear } from "../linear-assignment.ts";
import type { Attempt } from "../solver.ts";
import { type ChainProblem, chainObjective, itemsByGpu, pairCost } from "./chain-problem.ts";

/**
 * Local search: each layer in turn exchanges the GPUs of two clusters as long as its exchanges with both neighbours take less time.
 * It starts from clusters in order, and from each layer placed after the one before by a linear assignment; the better end is taken.
 * Where clusters differ in size, the start evens out what GPUs hold, and exchanges keep the limit.
 */
export function chainByExchanges(problem: ChainProblem): Attempt<Uint16Array> {
  const starts = problem.clusterItems === undefined ? [inOrder(problem), forward(problem)] : [evenItems(problem)];
  let solution: Uint16Array | null = null;
  let least = Infinity;
  for (const start of starts) {
    const { gpuItemsMax = Infinity } = problem;
    if (itemsByGpu(problem, start).some((items) => items > gpuItemsMax)) continue;
    exchange(problem, start);
    const objective = chainObjective(problem, start);
    if (objective >= least) continue;
    least = objective;
    solution = start;
  }
  return { solution, bound: -Infinity, cut: false };
}

const inOrder = ({ layers, gpus }: ChainProblem) => Uint16Array.from({ length: layers * gpus }, (_, at) => at % gpus);

/** Each layer by a linear assignment on the time from the layer before. */
function forward({ layers, gpus, traffic, distance }: ChainProblem): Uint16Array {
  const gpuOf = new Uint16Array(layers * gpus);
  for (let cluster = 0; cluster < gpus; cluster++) gpuOf[cluster] = cluster;
  const cost = new Float64Array(gpus * gpus);
  for (let layer = 1; layer < layers; layer++) {
    cost.fill(0);
    for (let source = 0; source < gpus; source++) {
      const row = gpuOf[(layer - 1) * gpus + source]! * gpus;
      for (let target = 0; target < gpus; target++) {
        const tokens = traffic[((layer - 1) * gpus + source) * gpus + target]!;
        for (let gpu = 0; gpu < gpus; gpu++) cost[target * gpus + gpu]! += tokens * distance[row + gpu]!;
      }
    }
    gpuOf.set(assignLinear(cost, gpus)!, layer * gpus);
  }
  return gpuOf;
}

/** The largest cluster of a layer to the GPU that holds least so far. */
function evenItems({ layers, gpus, clusterItems }: ChainProblem): Uint16Array {
  const gpuOf = new Uint16Array(layers * gpus);
  const held = new Float64Array(gpus);
  const ids = Array.from({ length: gpus }, (_, id) => id);
  for (let layer = 0; layer < layers; layer++) {
    const items = clusterItems!.subarray(layer * gpus, (layer + 1) * gpus);
    const clusters = [...ids].sort((a, b) => items[b]! - items[a]! || a - b);
    const lightest = [...ids].sort((a, b) => held[a]! - held[b]! || a - b);
    for (const [at, cluster] of clusters.entries()) {
      gpuOf[layer * gpus + cluster] = lightest[at]!;
      held[lightest[at]!]! += items[cluster]!;
    }
  }
  return gpuOf;
}

function exchange(problem: ChainProblem, gpuOf: Uint16Array): void {
  const { layers, gpus, clusterItems, gpuItemsMax = Infinity } = problem;
  const held = itemsByGpu(problem, gpuOf);
  const costAt = (layer: number) =>
    (layer > 0 ? pairCost(problem, gpuOf, layer - 1) : 0) + (layer + 1 < layers ? pairCost(problem, gpuOf, layer) : 0);
  for (let improved = true; improved; ) {
    improved = false;
    for (let layer = 0; layer < layers; layer++) {
      let cost = costAt(layer);
      for (let a = 0; a < gpus; a++)
        for (let b = 0; b < a; b++) {
          const [first, second] = [layer * gpus + a, layer * gpus + b];
          const [from, to] = [gpuOf[first]!, gpuOf[second]!];
          const moved = clusterItems === undefined ? 0 : clusterItems[first]! - clusterItems[second]!;
          if (held[to]! + moved > gpuItemsMax || held[from]! - moved > gpuItemsMax) continue;
          gpuOf[first] = to;
          gpuOf[second] = from;
          const after = costAt(layer);
          if (after < cost * (1 - 1e-12)) {
            cost = after;
            improved = true;
            held[to]! += moved;
            held[from]! -= moved;
            continue;
          }
          gpuOf[first] = from;
          gpuOf[second] = to;
        }
    }
  }
}
