import { RandomStream } from "../../core/random.ts";
import type { Attempt, SolveLimits } from "../solver.ts";
import { partitionByHalves } from "./bipartition.ts";
import { LayerStep } from "./layer-step.ts";
import { partitionBound } from "./partition-bound.ts";
import { type PartitionProblem, partitionObjective } from "./partition-problem.ts";
import { partitionBySweeps, settle } from "./sweeps.ts";

/** Neighbourhoods that may fail in a row, those in all, and the most layers of one. */
const failuresMax = 30;
const neighbourhoodsMax = 100;
const layersMax = 4;

/**
 * Large-neighbourhood search from the better of sweeps and halves: a stretch of layers is placed anew from one end, for the layer before alone, with some of the
 * first one's items drawn to other parts; sweeps follow, and what is not better is undone. Counts its work.
 */
export function partitionByNeighbourhoods(problem: PartitionProblem, limits: SolveLimits): Attempt<Uint16Array> {
  const { layers, items } = problem;
  const bound = partitionBound(problem);
  const step = new LayerStep(problem);
  const random = new RandomStream(limits.seed, "partition neighbourhoods");
  let best = partitionBySweeps(problem, limits).solution!;
  let least = partitionObjective(problem, best);
  const halved = partitionByHalves(problem).solution!;
  const reached = partitionObjective(problem, halved);
  if (reached < least) [best, least] = [halved, reached];
  let failures = 0;
  for (let turn = 0; turn < neighbourhoodsMax && failures < failuresMax; turn++, failures++) {
    if (least <= bound * (1 + limits.gap)) break;
    const partOf = best.slice();
    const first = random.below(layers);
    const last = Math.min(layers, first + 1 + random.below(layersMax));
    for (let swap = 0; swap < items / 4; swap++) {
      const [a, b] = [first * items + random.below(items), first * items + random.below(items)];
      [partOf[a], partOf[b]] = [partOf[b]!, partOf[a]!];
    }
    for (let layer = first + 1; layer < last; layer++) step.place(partOf, layer, "before");
    const stale = new Uint8Array(layers);
    stale.fill(1, Math.max(0, first - 1), Math.min(layers, last + 1));
    settle(problem, step, partOf, stale);
    const cost = partitionObjective(problem, partOf);
    if (cost >= least * (1 - 1e-9)) continue;
    [best, least, failures] = [partOf, cost, -1];
    limits.onBetter?.(best.slice(), least, bound);
  }
  return { solution: best, bound, cut: false };
}
