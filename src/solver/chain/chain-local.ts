import type { Attempt } from "../solver.ts";
import { type ChainProblem, itemsByGpu } from "./chain-problem.ts";
import { costAround, repairChain, startChain } from "./chain-start.ts";

/** Local search from clusters in order, or from what evens out the experts of GPUs where clusters differ in size. */
export function chainByExchanges(problem: ChainProblem): Attempt<Uint16Array> {
  const gpuOf = startChain(problem);
  if (!repairChain(problem, gpuOf)) return { solution: null, bound: -Infinity, cut: false };
  exchangeClusters(problem, gpuOf);
  return { solution: gpuOf, bound: -Infinity, cut: false };
}

/** Exchanges two clusters of a layer as long as its exchanges with both neighbours take less time; keeps the limit of experts. */
export function exchangeClusters(problem: ChainProblem, gpuOf: Uint16Array): void {
  const { layers, gpus, clusterItems, gpuItemsMax = Infinity } = problem;
  const held = itemsByGpu(problem, gpuOf);
  for (let improved = true; improved; ) {
    improved = false;
    for (let layer = 0; layer < layers; layer++) {
      let cost = costAround(problem, gpuOf, layer);
      for (let a = 0; a < gpus; a++)
        for (let b = 0; b < a; b++) {
          const [first, second] = [layer * gpus + a, layer * gpus + b];
          const [from, to] = [gpuOf[first]!, gpuOf[second]!];
          const moved = clusterItems === undefined ? 0 : clusterItems[first]! - clusterItems[second]!;
          if (held[to]! + moved > gpuItemsMax || held[from]! - moved > gpuItemsMax) continue;
          gpuOf[first] = to;
          gpuOf[second] = from;
          const after = costAround(problem, gpuOf, layer);
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
