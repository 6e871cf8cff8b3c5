import type { Solver } from "../solver.ts";
import { missesOf, type SlotProblem, type Slots } from "./slot-problem.ts";

/** Each slot to the layer where it saves the most misses, ties to the first: exact where no slot saves more than the one before it. */
export const byGain: Solver<SlotProblem, Slots> = {
  name: "greedy",
  rule: "Slot by slot to the layer that gains the most. Exact for convex curves, which it asks for.",
  misfit({ misses, least, most }) {
    for (const [layer, curve] of misses.entries())
      for (let slots = least + 1; slots < most; slots++)
        if (curve[slots]! - curve[slots + 1]! > curve[slots - 1]! - curve[slots]!)
          return `dp: slot ${slots + 1} of layer ${layer} saves more misses than the one before it`;
    return null;
  },
  solve(problem) {
    const { misses, total, least, most } = problem;
    const slots = new Uint32Array(misses.length).fill(least);
    for (let left = total - misses.length * least; left > 0; left--) {
      let best = -1;
      let bestGain = -Infinity;
      for (const [layer, curve] of misses.entries()) {
        if (slots[layer]! >= most) continue;
        const gain = curve[slots[layer]!]! - curve[slots[layer]! + 1]!;
        if (gain <= bestGain) continue;
        best = layer;
        bestGain = gain;
      }
      slots[best]! += 1;
    }
    return { solution: slots, bound: missesOf(problem, slots), cut: false };
  },
};
