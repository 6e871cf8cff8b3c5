import { refuse } from "../core/errors.ts";
import type { SolveOptions, SolveRunner } from "../solver/solver.ts";

/** What solvers are told in place of their defaults. */
export interface SolveWishes {
  /** For the problems that it can take; others keep theirs. */
  readonly solver?: string;
  readonly gap?: number;
  readonly timeLimitS?: number;
}

/** Problems that were solved. */
export interface AskedSolvers {
  /** How many, and of these how many took the solver that was wished for. */
  problems: number;
  taken: number;
  /** Solvers that they could have taken. */
  readonly known: Set<string>;
}

/** A runner that passes these wishes on, and takes down what was asked. */
export function limitedSolve(
  solve: SolveRunner,
  { solver, gap, timeLimitS }: SolveWishes,
): { readonly solve: SolveRunner; readonly asked: AskedSolvers } {
  const asked: AskedSolvers = { problems: 0, taken: 0, known: new Set() };
  return {
    asked,
    solve: (kind, problem, options = {}) => {
      asked.problems += 1;
      for (const name of Object.keys(kind.solvers)) asked.known.add(name);
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

/** Refuses a solver that no problem could take. */
export function refuseUntaken({ solver }: SolveWishes, { taken, known }: AskedSolvers): void {
  if (solver === undefined || taken > 0) return;
  const expected =
    known.size === 0
      ? "nothing: no placement that is compared here is solved"
      : `one of ${[...known].sort().join(", ")}, which the placements compared here can use`;
  refuse({ at: "--solver", expected, found: solver });
}
