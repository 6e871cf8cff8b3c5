import { RandomStream } from "../../core/random.ts";
import type { Attempt, SolveLimits } from "../solver.ts";
import { chainBound } from "./chain-bound.ts";
import { type ChainProblem, chainObjective, chainViolation, itemsByGpu } from "./chain-problem.ts";
import { startChain } from "./chain-start.ts";
import { chainBySweeps } from "./chain-sweeps.ts";

/** GPUs whose clusters are freed in all layers, neighbourhoods that may fail in a row, and neighbourhoods in all. */
const freedMax = 2;
const failuresMax = 2_000;
const neighbourhoodsMax = 20_000;

/**
 * Large-neighbourhood search from what sweeps find: two GPUs exchange their clusters in the layers where it helps. Which layers is worked out exactly, by
 * dynamic programming over all of them. Counts its work, so it is the same on every machine.
 */
export function chainByNeighbourhoods(problem: ChainProblem, limits: SolveLimits): Attempt<Uint16Array> {
  const { gpus, gpuItemsMax = Infinity } = problem;
  // Something to have where a limit of time comes before the sweeps are done.
  const first = startChain(problem);
  if (chainViolation(problem, first) === null) limits.onBetter?.(first, chainObjective(problem, first), -Infinity);
  const { solution: start } = chainBySweeps(problem, limits);
  if (start === null) return { solution: null, bound: -Infinity, cut: false };
  let best = start;
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

/** Costs of a pair of layers: neither exchanges, the second does, the first does, both do. What touches no freed GPU is in all. */
function pairCosts(
  problem: ChainProblem,
  layer: number,
  own: Uint16Array,
  swapped: Uint16Array,
  cost: Float64Array,
): void {
  const { gpus, traffic, distance } = problem;
  const sum = problem.minimise === "sum";
  let shared = 0;
  let [kept, second, first, both] = [0, 0, 0, 0];
  for (let source = 0; source < gpus; source++) {
    const from = own[layer * gpus + source]!;
    const other = swapped[layer * gpus + source]!;
    const tokens = (layer * gpus + source) * gpus;
    for (let target = 0; target < gpus; target++) {
      const to = own[(layer + 1) * gpus + target]!;
      const there = swapped[(layer + 1) * gpus + target]!;
      const moved = traffic[tokens + target]!;
      if (from === other && to === there) {
        const time = moved * distance[from * gpus + to]!;
        if (sum) shared += time;
        else if (time > shared) shared = time;
        continue;
      }
      const [a, b] = [moved * distance[from * gpus + to]!, moved * distance[from * gpus + there]!];
      const [c, d] = [moved * distance[other * gpus + to]!, moved * distance[other * gpus + there]!];
      if (sum) {
        kept += a;
        second += b;
        first += c;
        both += d;
      } else {
        if (a > kept) kept = a;
        if (b > second) second = b;
        if (c > first) first = c;
        if (d > both) both = d;
      }
    }
  }
  cost[0] = sum ? shared + kept : Math.max(shared, kept);
  cost[1] = sum ? shared + second : Math.max(shared, second);
  cost[2] = sum ? shared + first : Math.max(shared, first);
  cost[3] = sum ? shared + both : Math.max(shared, both);
}
