import type { Problem } from "../../core/errors.ts";
import { arrayProblems } from "../array-problems.ts";

/**
 * Clusters of experts onto GPUs, layer by layer, one cluster to a GPU: MoETuner's second program (arXiv 2502.06643). Tokens go from a
 * cluster of a layer to one of the next, over the link between their GPUs.
 */
export interface ChainProblem {
  readonly layers: number;
  /** GPUs, and clusters of every layer. */
  readonly gpus: number;
  /** [layers - 1][gpus][gpus] tokens from a cluster to one of the next layer. */
  readonly traffic: Float64Array;
  /** [gpus][gpus] time of a token from one GPU to another, such as bytes by bandwidth; 0 to itself. */
  readonly distance: Float64Array;
  /** `bottleneck`: the sum over pairs of layers of the slowest link's time, as MoETuner has it. `sum`: that of all links' times. */
  readonly minimise: "bottleneck" | "sum";
  /**
   * [layers][gpus] experts of each cluster; given with `gpuItemsMax`. MoETuner's (13) asks for the same number on every GPU over all
   * layers: that is the limit total / gpus where it is whole, and the next whole number where it is not.
   */
  readonly clusterItems?: Uint16Array;
  /** Experts that a GPU may hold over all layers. */
  readonly gpuItemsMax?: number;
}

/** Time of the exchange between a layer and the next. */
export function pairCost(problem: ChainProblem, gpuOf: Uint16Array, layer: number): number {
  const { gpus, traffic, distance } = problem;
  const [from, to] = [layer * gpus, (layer + 1) * gpus];
  let [sum, slowest] = [0, 0];
  for (let source = 0; source < gpus; source++) {
    const row = gpuOf[from + source]! * gpus;
    const tokens = (layer * gpus + source) * gpus;
    for (let target = 0; target < gpus; target++) {
      const time = traffic[tokens + target]! * distance[row + gpuOf[to + target]!]!;
      sum += time;
      slowest = Math.max(slowest, time);
    }
  }
  return problem.minimise === "sum" ? sum : slowest;
}

export function chainObjective(problem: ChainProblem, gpuOf: Uint16Array): number {
  let total = 0;
  for (let layer = 0; layer + 1 < problem.layers; layer++) total += pairCost(problem, gpuOf, layer);
  return total;
}

/** [gpus] experts that a GPU holds over all layers. */
export function itemsByGpu({ clusterItems, gpus }: ChainProblem, gpuOf: Uint16Array): Float64Array {
  const items = new Float64Array(gpus);
  if (clusterItems !== undefined)
    for (let cluster = 0; cluster < clusterItems.length; cluster++) items[gpuOf[cluster]!]! += clusterItems[cluster]!;
  return items;
}

export function chainViolation(problem: ChainProblem, gpuOf: Uint16Array): string | null {
  const { layers, gpus, gpuItemsMax = Infinity } = problem;
  if (gpuOf.length !== layers * gpus) return `${gpuOf.length} clusters instead of ${layers * gpus}`;
  for (let layer = 0; layer < layers; layer++) {
    const used = new Set(gpuOf.subarray(layer * gpus, (layer + 1) * gpus));
    if (used.size !== gpus || Math.max(...used) >= gpus) return `layer ${layer} does not use every GPU once`;
  }
  const items = itemsByGpu(problem, gpuOf);
  const full = items.findIndex((held) => held > gpuItemsMax);
  return full < 0 ? null : `GPU ${full} holds ${items[full]} experts of at most ${gpuItemsMax}`;
}

export function chainProblems(problem: ChainProblem): Problem[] {
  const { layers, gpus, traffic, distance, clusterItems, gpuItemsMax } = problem;
  const problems: Problem[] = [];
  const sized = (...array: Parameters<typeof arrayProblems>) => problems.push(...arrayProblems(...array));
  if (!(layers >= 1 && gpus >= 1)) return [{ at: "layers, gpus", expected: "one or more", found: [layers, gpus] }];
  sized("traffic", traffic, (layers - 1) * gpus * gpus);
  sized("distance", distance, gpus * gpus);
  for (let gpu = 0; gpu < gpus; gpu++)
    if (distance[gpu * gpus + gpu] !== 0)
      problems.push({
        at: `distance[${gpu}][${gpu}]`,
        expected: "0: a GPU to itself",
        found: distance[gpu * gpus + gpu],
      });
  if ((clusterItems === undefined) !== (gpuItemsMax === undefined))
    problems.push({ at: "gpuItemsMax", expected: "clusterItems and gpuItemsMax together", found: gpuItemsMax });
  if (clusterItems !== undefined && gpuItemsMax !== undefined) {
    sized("clusterItems", clusterItems, layers * gpus);
    const total = clusterItems.reduce((sum, items) => sum + items, 0);
    // Every GPU gets a cluster of each layer, at best the smallest; one gets at least the mean.
    const least = leastItems(problem);
    const floor = Math.max(Math.ceil(total / gpus), least);
    if (gpuItemsMax < floor)
      problems.push({
        at: "gpuItemsMax",
        expected: `at least ${floor} of ${total} experts on ${gpus} GPUs`,
        found: gpuItemsMax,
      });
  }
  return problems;
}

/** The fewest experts of the GPU that holds the largest cluster of all, beside the smallest of every other layer. */
function leastItems({ clusterItems, layers, gpus }: ChainProblem): number {
  if (clusterItems === undefined) return 0;
  let [smallest, extra] = [0, 0];
  for (let layer = 0; layer < layers; layer++) {
    const own = clusterItems.subarray(layer * gpus, (layer + 1) * gpus);
    const least = Math.min(...own);
    smallest += least;
    extra = Math.max(extra, Math.max(...own) - least);
  }
  return smallest + extra;
}
