import { InfeasibleError } from "../core/errors.ts";
import type { MilpProblem } from "./milp.ts";
import { milpSolvers } from "./milp-solvers.ts";
import type { Solver } from "./solver.ts";

/** A problem written as a mixed-integer linear program, and its solution read back. */
export interface MilpForm<Problem, Solution> {
  /** What the program minimises is the objective of the problem. */
  milp(problem: Problem): MilpProblem;
  solution(problem: Problem, values: Float64Array): Solution;
  /** Values of a feasible solution to start from, [columns]; for a solver that takes one. Absent: it starts cold. */
  start?(problem: Problem): Float64Array | null;
  /** What an objective of 1 of the program is in the problem's own; absent: 1. */
  unit?(problem: Problem): number;
  /** Columns of a problem, and those that are few enough to be worth a try; absent: every problem is. */
  readonly size?: { readonly columnsMax: number; columns(problem: Problem): number };
}

/** A solver of the table of mixed-integer solvers as one of a problem. */
export function byMilp<Problem, Solution>(
  name: keyof typeof milpSolvers,
  rule: string,
  form: MilpForm<Problem, Solution>,
): Solver<Problem, Solution> {
  return {
    name,
    rule,
    misfit: (problem) => {
      const columns = form.size?.columns(problem) ?? 0;
      const most = form.size?.columnsMax ?? Infinity;
      return columns > most
        ? `a problem of at most ${most} columns as a linear program, this one has ${columns}; another solver`
        : null;
    },
    solve: async (problem, { timeLimitS, gap }) => {
      const start = name === "highs" ? (form.start?.(problem) ?? null) : null;
      const found = await milpSolvers[name](form.milp(problem), {
        timeLimitS,
        gap,
        ...(start === null ? {} : { start }),
      });
      switch (found.status) {
        case "infeasible":
        case "unbounded":
          throw new InfeasibleError(`${name} proves that the problem has no solution (${found.status})`);
        case "limit":
          return { solution: null, bound: -Infinity, cut: true };
        case "optimal":
        case "feasible":
          return {
            solution: form.solution(problem, found.values),
            bound: found.bound * (form.unit?.(problem) ?? 1),
            cut: found.status === "feasible",
          };
      }
    },
  };
}
