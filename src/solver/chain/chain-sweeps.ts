import { RandomStream } from "../../core/random.ts";
import { assignLinear } from "../linear-assignment.ts";
import type { Attempt, SolveLimits } from "../solver.ts";
import { exchangeClusters } from "./chain-local.ts";
import { type ChainProblem, chainObjective } from "./chain-problem.ts";
import { costAround, repairChain, startChain } from "./chain-start.ts";
import { leastThresholds } from "./two-bottlenecks.ts";

/** Starts: the first layer in order, then drawn. And sweeps of a start that may end without an improvement. */
const starts = 4;
const failuresMax = 2;

/**
 * Sweeps: each layer is placed exactly for its neighbours, by a linear assignment or by that of two bottlenecks, forward from the first
 * and then there and back as long as that helps. Exchanges of two clusters come last, after a repair where clusters differ in size.
 */
export function chainBySweeps(problem: ChainProblem, { seed }: Pick<SolveLimits, "seed">): Attempt<Uint16Array> {
  let solution: Uint16Array | null = null;
  let least = Infinity;
  const random = new RandomStream(seed, "chain sweeps");
  for (let start = 0; start < starts; start++) {
    const gpuOf = sweep(problem, firstLayer(problem.gpus, start === 0 ? null : random));
    if (!repairChain(problem, gpuOf)) {
      gpuOf.set(startChain(problem));
      if (!repairChain(problem, gpuOf)) continue;
    }
    exchangeClusters(problem, gpuOf);
    const objective = chainObjective(problem, gpuOf);
    if (objective >= least) continue;
    least = objective;
    solution = gpuOf;
  }
  return { solution, bound: -Infinity, cut: false };
}

/** [gpus] GPU of each cluster of the first layer. */
function firstLayer(gpus: number, random: RandomStream | null): Uint16Array {
  const gpuOf = Uint16Array.from({ length: gpus }, (_, cluster) => cluster);
  return random?.shuffle(gpuOf) ?? gpuOf;
}

function sweep(problem: ChainProblem, first: Uint16Array): Uint16Array {
  const { layers, gpus } = problem;
  const gpuOf = new Uint16Array(layers * gpus);
  gpuOf.set(first);
  for (let layer = 1; layer < layers; layer++) gpuOf.set(placed(problem, gpuOf, layer, false), layer * gpus);
  let best = gpuOf.slice();
  let least = chainObjective(problem, best);
  for (let failures = 0; failures < failuresMax && layers > 1; ) {
    for (let layer = layers - 2; layer >= 0; layer--) improve(problem, gpuOf, layer);
    for (let layer = 1; layer < layers; layer++) improve(problem, gpuOf, layer);
    const reached = chainObjective(problem, gpuOf);
    failures = reached < least * (1 - 1e-9) ? 0 : failures + 1;
    if (reached >= least) continue;
    least = reached;
    best = gpuOf.slice();
  }
  return best;
}

/** Places a layer for both neighbours; a place that takes as long is taken too, as it may free the next layer. */
function improve(problem: ChainProblem, gpuOf: Uint16Array, layer: number): void {
  const { gpus } = problem;
  const before = gpuOf.slice(layer * gpus, (layer + 1) * gpus);
  const was = costAround(problem, gpuOf, layer);
  gpuOf.set(placed(problem, gpuOf, layer, true), layer * gpus);
  if (costAround(problem, gpuOf, layer) > was * (1 + 1e-12)) gpuOf.set(before, layer * gpus);
}

/** [gpus] the best GPU of each cluster of a layer, for the layer before it and, where asked, the one after it. */
function placed(problem: ChainProblem, gpuOf: Uint16Array, layer: number, both: boolean): Uint16Array {
  const { layers, gpus } = problem;
  const size = gpus * gpus;
  const before = layer > 0 ? timesTo(problem, gpuOf, layer - 1, false) : new Float64Array(size);
  const after = both && layer + 1 < layers ? timesTo(problem, gpuOf, layer, true) : new Float64Array(size);
  if (problem.minimise === "sum")
    return assignLinear(
      before.map((time, at) => time + after[at]!),
      gpus,
    )!;
  const limits = leastThresholds(before, after, gpus);
  // Within both limits, links far below them are better: they leave the neighbours room.
  const share = (time: number, limit: number) => (limit > 0 ? (time / limit) * (time / limit) : 0);
  const cost = before.map((time, at) =>
    time > limits.first || after[at]! > limits.second
      ? Infinity
      : share(time, limits.first) + share(after[at]!, limits.second),
  );
  return assignLinear(cost, gpus)!;
}

/** [cluster][gpu] time of a cluster's links with the layer before it (`after`: with the next), were it on each GPU. */
function timesTo(problem: ChainProblem, gpuOf: Uint16Array, pair: number, after: boolean): Float64Array {
  const { gpus, traffic, distance } = problem;
  const out = new Float64Array(gpus * gpus);
  const others = gpuOf.subarray((after ? pair + 1 : pair) * gpus);
  const sum = problem.minimise === "sum";
  for (let cluster = 0; cluster < gpus; cluster++)
    for (let other = 0; other < gpus; other++) {
      const there = others[other]!;
      const tokens = traffic[pair * gpus * gpus + (after ? cluster * gpus + other : other * gpus + cluster)]!;
      if (tokens === 0) continue;
      for (let gpu = 0; gpu < gpus; gpu++) {
        const time = tokens * distance[after ? gpu * gpus + there : there * gpus + gpu]!;
        const at = cluster * gpus + gpu;
        if (sum) out[at]! += time;
        else if (time > out[at]!) out[at] = time;
      }
    }
  return out;
}
