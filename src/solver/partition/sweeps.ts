import { RandomStream } from "../../core/random.ts";
import type { Attempt, SolveLimits } from "../solver.ts";
import { LayerStep } from "./layer-step.ts";
import { type PartitionProblem, partitionObjective } from "./partition-problem.ts";

const startsStandard = 4;

/**
 * Sweeps from several starts: each layer is placed exactly for its neighbours, there and back, until none improves. Starts: the one that is
 * given, items in order, and drawn ones. The layers after the first follow from it.
 */
export function partitionBySweeps(
  problem: PartitionProblem,
  { seed }: Pick<SolveLimits, "seed">,
): Attempt<Uint16Array> {
  const { starts = startsStandard, start } = problem;
  const step = new LayerStep(problem);
  const random = new RandomStream(seed, "partition sweeps");
  let best: Uint16Array = new Uint16Array(0);
  let least = Infinity;
  const given = start === undefined ? 0 : 1;
  for (let turn = 0; turn < starts; turn++) {
    const first = turn < given ? start! : firstInOrder(problem, turn === given ? null : random);
    const partOf = follow(problem, step, first);
    settle(problem, step, partOf);
    const cost = partitionObjective(problem, partOf);
    if (cost >= least) continue;
    [best, least] = [partOf, cost];
  }
  return { solution: best, bound: -Infinity, cut: false };
}

/** [items] parts of a layer in order of its items. */
export function inOrder({ parts, items, sizes }: PartitionProblem, layer: number): Uint16Array {
  const partOf = new Uint16Array(items);
  for (let part = 0, first = 0; part < parts; part++) {
    const end = first + sizes[layer * parts + part]!;
    partOf.fill(part, first, end);
    first = end;
  }
  return partOf;
}

function firstInOrder(problem: PartitionProblem, random: RandomStream | null): Uint16Array {
  const partOf = inOrder(problem, 0);
  return random?.shuffle(partOf) ?? partOf;
}

/** Layers after the first one by one, each for the one before it. */
function follow(problem: PartitionProblem, step: LayerStep, first: Uint16Array): Uint16Array {
  const { layers, items } = problem;
  const partOf = new Uint16Array(layers * items);
  partOf.set(first);
  for (let layer = 1; layer < layers; layer++) {
    partOf.set(inOrder(problem, layer), layer * items);
    step.place(partOf, layer, "before");
  }
  return partOf;
}

/** Places layers for their neighbours, there and back, until none changes; those whose neighbours stayed are not looked at again. */
export function settle({ layers }: PartitionProblem, step: LayerStep, partOf: Uint16Array, changed?: Uint8Array): void {
  const stale = changed ?? new Uint8Array(layers).fill(1);
  const visit = (layer: number) => {
    if (stale[layer] === 0) return;
    stale[layer] = 0;
    if (!step.place(partOf, layer, "both")) return;
    if (layer > 0) stale[layer - 1] = 1;
    if (layer + 1 < layers) stale[layer + 1] = 1;
  };
  while (stale.includes(1)) {
    for (let layer = 0; layer < layers; layer++) visit(layer);
    for (let layer = layers - 2; layer >= 0; layer--) visit(layer);
  }
}
