import type { Solver } from "../solver.ts";
import { missesOf, type SlotProblem, type Slots } from "./slot-problem.ts";

/** Layer by layer, for every number of slots given out so far: the fewest misses. Of equal ones, fewer slots in later layers. */
export const byLayer: Solver<SlotProblem, Slots> = {
  name: "dp",
  rule: "Dynamic programming over the layers. Exact for any curves.",
  solve(problem) {
    const solution = fewestMisses(problem);
    return { solution, bound: missesOf(problem, solution), cut: false };
  },
};

function fewestMisses({ misses, total, least, most }: SlotProblem): Slots {
  const layers = misses.length;
  /** [slots given out so far] fewest misses of the layers so far, and [layers x (total + 1)] what the last of them then has. */
  let fewest = new Float64Array(total + 1).fill(Number.POSITIVE_INFINITY);
  fewest[0] = 0;
  const chosen = new Uint32Array(layers * (total + 1));
  for (const [layer, curve] of misses.entries()) {
    const next = new Float64Array(total + 1).fill(Number.POSITIVE_INFINITY);
    const given = Math.min(total, (layer + 1) * most);
    for (let sum = (layer + 1) * least; sum <= given; sum++)
      for (let slots = least; slots <= Math.min(most, sum); slots++) {
        const found = fewest[sum - slots]! + curve[slots]!;
        if (found >= next[sum]!) continue;
        next[sum] = found;
        chosen[layer * (total + 1) + sum] = slots;
      }
    fewest = next;
  }
  const slots = new Uint32Array(layers);
  for (let layer = layers - 1, left = total; layer >= 0; layer--) {
    slots[layer] = chosen[layer * (total + 1) + left]!;
    left -= slots[layer]!;
  }
  return slots;
}
