import type { Solver } from "../solver.ts";
import type { BitChoice, BitProblem } from "./bit-problem.ts";
import { lossOf } from "./bit-problem.ts";

/**
 * Expert by expert, for every sum of bits so far and every set of widths already given of those that somebody must have: the least
 * loss. Exact. Of equal choices the one with narrower widths for later experts.
 */
export const byBudget: Solver<BitProblem, BitChoice> = {
  name: "dp",
  rule: "Dynamic programming over the budget. Exact.",
  solve(problem) {
    const solution = leastLoss(problem);
    return { solution, bound: lossOf(problem, solution), cut: false };
  },
};

function leastLoss({ experts, bits, loss, budget, atLeastOnce }: BitProblem): BitChoice {
  const spendable = Math.min(budget, experts * bits.at(-1)!);
  const sets = 1 << atLeastOnce.length;
  const states = (spendable + 1) * sets;
  const setOf = bits.map((width) => (atLeastOnce.includes(width) ? 1 << atLeastOnce.indexOf(width) : 0));
  let least = new Float64Array(states).fill(Infinity);
  least[0] = 0;
  /** [experts][states] width that leads to a state, and the set that it came from. */
  const widthTo = new Uint8Array(experts * states);
  const setFrom = new Uint32Array(experts * states);
  for (let expert = 0; expert < experts; expert++) {
    const next = new Float64Array(states).fill(Infinity);
    for (let from = 0; from < states; from++) {
      if (least[from] === Infinity) continue;
      const set = from % sets;
      const spent = Math.floor(from / sets);
      for (let width = 0; width < bits.length; width++) {
        const sum = spent + bits[width]!;
        if (sum > spendable) break;
        const to = sum * sets + (set | setOf[width]!);
        const found = least[from]! + loss[expert * bits.length + width]!;
        if (found >= next[to]!) continue;
        next[to] = found;
        widthTo[expert * states + to] = width;
        setFrom[expert * states + to] = set;
      }
    }
    least = next;
  }
  let best = -1;
  for (let spent = 0; spent <= spendable; spent++) {
    const state = spent * sets + sets - 1;
    if (best < 0 ? least[state]! < Infinity : least[state]! < least[best]!) best = state;
  }
  const choice = new Uint8Array(experts);
  for (let expert = experts - 1, state = best; expert >= 0; expert--) {
    const width = widthTo[expert * states + state]!;
    choice[expert] = width;
    state = (Math.floor(state / sets) - bits[width]!) * sets + setFrom[expert * states + state]!;
  }
  return choice;
}
