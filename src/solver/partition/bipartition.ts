import type { Attempt } from "../solver.ts";
import { LayerStep } from "./layer-step.ts";
import type { PartitionProblem } from "./partition-problem.ts";
import { settle } from "./sweeps.ts";

/** A stretch of parts, [from, to). */
type Stretch = readonly [from: number, to: number];

/**
 * ExFlow's recursive halving: parts are halved until each is by itself. At every level items go to one of the halves of where they are, so
 * that little traffic crosses; sweeps place them. Neighbouring numbers stay together longest, as ranks of a node do. Sweeps over all
 * parts at their distances come last.
 */
export function partitionByHalves(problem: PartitionProblem): Attempt<Uint16Array> {
  const { layers, items, parts } = problem;
  let stretches: Stretch[] = [[0, parts]];
  /** [layers][items] stretch of each item. */
  let at: Uint16Array = new Uint16Array(layers * items);
  while (stretches.some(([from, to]) => to - from > 1)) {
    const halves: Stretch[] = [];
    const parent: number[] = [];
    for (const [index, [from, to]] of stretches.entries()) {
      const middle = Math.ceil((from + to) / 2);
      for (const half of to - from > 1
        ? ([
            [from, middle],
            [middle, to],
          ] as const)
        : ([[from, to]] as const)) {
        halves.push(half);
        parent.push(index);
      }
    }
    const level = coarse(problem, halves);
    const step = new LayerStep(level, Uint16Array.from(parent));
    at = split(level, parent, at);
    for (let layer = 1; layer < layers; layer++) step.place(at, layer, "before");
    settle(level, step, at);
    stretches = halves;
  }
  settle(problem, new LayerStep(problem), at);
  return { solution: at, bound: -Infinity, cut: false };
}

/** The problem whose parts are stretches, all as far from one another. */
function coarse(problem: PartitionProblem, stretches: readonly Stretch[]): PartitionProblem {
  const { layers, parts, sizes } = problem;
  const count = stretches.length;
  const merged = new Uint16Array(layers * count);
  for (let layer = 0; layer < layers; layer++)
    for (const [index, [from, to]] of stretches.entries())
      for (let part = from; part < to; part++) merged[layer * count + index]! += sizes[layer * parts + part]!;
  const distance = Float64Array.from({ length: count * count }, (_, at) =>
    Math.floor(at / count) === at % count ? 0 : 1,
  );
  return { ...problem, parts: count, sizes: merged, distance };
}

/** Items of each stretch in order into its halves. */
function split(level: PartitionProblem, parent: readonly number[], at: Uint16Array): Uint16Array {
  const { layers, items, parts, sizes } = level;
  const out = new Uint16Array(layers * items);
  for (let layer = 0; layer < layers; layer++) {
    const left = sizes.slice(layer * parts, (layer + 1) * parts);
    for (let item = layer * items; item < (layer + 1) * items; item++) {
      const half = parent.findIndex((of, index) => of === at[item] && left[index]! > 0);
      left[half]! -= 1;
      out[item] = half;
    }
  }
  return out;
}
