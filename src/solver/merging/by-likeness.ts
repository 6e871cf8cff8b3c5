import type { Solver } from "../solver.ts";
import { type Merging, type MergingProblem, roomOf, unlikeness } from "./merging-problem.ts";

/** Expert by expert to the dominant one most like it that has room, as the paper does without limits. Exact without limits. */
export const byLikeness: Solver<MergingProblem, Merging> = {
  name: "greedy",
  rule: "Expert by expert to the one most like it that has room. Exact where groups have no limit.",
  solve: (problem) => ({ solution: joinMostAlike(problem), bound: 0, cut: false }),
};

function joinMostAlike(problem: MergingProblem): Merging {
  const { dominant, joining } = problem;
  const costs = unlikeness(problem);
  const room = new Uint32Array(dominant.length).fill(roomOf(problem));
  return Uint16Array.from(joining, (_, i) => {
    let best = -1;
    for (let group = 0; group < dominant.length; group++)
      if (room[group]! > 0 && (best < 0 || costs[i * dominant.length + group]! < costs[i * dominant.length + best]!))
        best = group;
    room[best]! -= 1;
    return best;
  });
}
