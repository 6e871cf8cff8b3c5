import type { SolveOptions, SolveRunner } from "../solver/solver.ts";

/** What solvers are told in place of their defaults. */
export interface SolveWishes {
  /** For the problems that it can take; others keep theirs. */
  readonly solver?: string;
  readonly gap?: number;
  readonly timeLimitS?: number;
}

/** A runner that passes these wishes on. `asked` counts the problems that took the solver, of how many. */
export function limitedSolve(
  solve: SolveRunner,
  { solver, gap, timeLimitS }: SolveWishes,
): { readonly solve: SolveRunner; readonly asked: { problems: number; taken: number } } {
  const asked = { problems: 0, taken: 0 };
  return {
    asked,
    solve: (kind, problem, options = {}) => {
      asked.problems += 1;
      const takes = solver !== undefined && solver in kind.solvers;
      if (takes) asked.taken += 1;
      const wishes: SolveOptions = {
        ...options,
        ...(takes ? { solver } : {}),
        ...(gap === undefined ? {} : { gap }),
        ...(timeLimitS === undefined ? {} : { timeLimitS }),
      };
      return solve(kind, problem, wishes);
    },
  };
}
