import { RandomStream } from "../../core/random.ts";
import type { Attempt, SolveLimits } from "../solver.ts";
import { chainBound } from "./chain-bound.ts";
import { type ChainProblem, chainObjective, itemsByGpu } from "./chain-problem.ts";

/** GPUs whose clusters are freed in all layers, neighbourhoods that may fail in a row, and neighbourhoods in all. */
const freedMax = 2;
const failuresMax = 2_000;
const neighbourhoodsMax = 20_000;

/** A chain that keeps the limit where it can: every layer's larger clusters to the GPUs that hold the fewest experts. */
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

/**
 * Large-neighbourhood search: two GPUs exchange their clusters in the layers where it helps. Which layers is worked out exactly, by
 * dynamic programming over all of them. Counts its work, so it is the same on every machine.
 */
export function chainByNeighbourhoods(problem: ChainProblem, limits: SolveLimits): Attempt<Uint16Array> {
  const { gpus, gpuItemsMax = Infinity } = problem;
  let best = startChain(problem);
  if (itemsByGpu(problem, best).some((items) => items > gpuItemsMax))
    return { solution: null, bound: -Infinity, cut: false };
  const bound = chainBound(problem);
  const random = new RandomStream(limits.seed, "chain neighbourhoods");
  let objective = chainObjective(problem, best);
  limits.onBetter?.(best.slice(), objective, bound);
  let failures = 0;
  for (let turn = 0; turn < neighbourhoodsMax && failures < failuresMax && gpus >= freedMax; turn++) {
    if (objective <= bound * (1 + limits.gap)) break;
    const a = random.below(gpus);
    const b = (a + 1 + random.below(gpus - 1)) % gpus;
    const tried = exchange(problem, best, a, b);
    const reached = chainObjective(problem, tried);
    const fits = itemsByGpu(problem, tried).every((items) => items <= gpuItemsMax);
    failures += 1;
    if (!fits || reached >= objective * (1 - 1e-12)) continue;
    [best, objective, failures] = [tried, reached, 0];
    limits.onBetter?.(best.slice(), objective, bound);
  }
  return { solution: best, bound, cut: false };
}

/** The best chain in which two GPUs exchange clusters in any of the layers, others staying where they are. */
function exchange(problem: ChainProblem, gpuOf: Uint16Array, a: number, b: number): Uint16Array {
  const { layers, gpus } = problem;
  const swapped = gpuOf.map((gpu) => (gpu === a ? b : gpu === b ? a : gpu));
  const cost = new Float64Array(4);
  /** [layers - 1][2] whether the layer before exchanges where this one does not, and where it does. */
  const before = new Uint8Array(2 * layers);
  let [kept, moved] = [0, 0];
  for (let layer = 0; layer + 1 < layers; layer++) {
    pairCosts(problem, layer, gpuOf, swapped, cost);
    const toKept = [kept + cost[0]!, moved + cost[2]!] as const;
    const toMoved = [kept + cost[1]!, moved + cost[3]!] as const;
    before[2 * (layer + 1)] = toKept[1] < toKept[0] ? 1 : 0;
    before[2 * (layer + 1) + 1] = toMoved[1] < toMoved[0] ? 1 : 0;
    kept = Math.min(...toKept);
    moved = Math.min(...toMoved);
  }
  const out = gpuOf.slice();
  let state = moved < kept ? 1 : 0;
  for (let layer = layers - 1; layer >= 0; layer--) {
    if (state === 1) out.set(swapped.subarray(layer * gpus, (layer + 1) * gpus), layer * gpus);
    state = before[2 * layer + state]!;
  }
  return out;
}

/** Costs of a pair of layers: neither exchanges, the second does, the first does, both do. */
function pairCosts(
  problem: ChainProblem,
  layer: number,
  own: Uint16Array,
  swapped: Uint16Array,
  cost: Float64Array,
): void {
  const { gpus, traffic, distance } = problem;
  const sum = problem.minimise === "sum";
  for (let state = 0; state < 4; state++) {
    const [from, to] = [state < 2 ? own : swapped, state % 2 === 0 ? own : swapped];
    let total = 0;
    for (let source = 0; source < gpus; source++) {
      const row = from[layer * gpus + source]! * gpus;
      const tokens = (layer * gpus + source) * gpus;
      for (let target = 0; target < gpus; target++) {
        const time = traffic[tokens + target]! * distance[row + to[(layer + 1) * gpus + target]!]!;
        total = sum ? total + time : Math.max(total, time);
      }
    }
    cost[state] = total;
  }
}
