import type { Solver } from "../solver.ts";
import { assignToRooms } from "../transport.ts";
import { likenessLost, type Merging, type MergingProblem, roomOf, unlikeness } from "./merging-problem.ts";

/** Shortest augmenting paths: experts are the items, groups the bins. */
export const byTransport: Solver<MergingProblem, Merging> = {
  name: "transport",
  rule: "The transportation problem by shortest augmenting paths. Exact.",
  solve(problem) {
    const solution = joinedByTransport(problem);
    return { solution, bound: likenessLost(problem, solution), cut: false };
  },
};

/** Which dominant expert each joins, so that the least likeness is lost; for a problem without {@link mergingProblems}. */
export const joinedByTransport = (problem: MergingProblem): Merging =>
  problem.joining.length === 0
    ? new Uint16Array(0)
    : assignToRooms(unlikeness(problem), new Uint32Array(problem.dominant.length).fill(roomOf(problem)))!;
