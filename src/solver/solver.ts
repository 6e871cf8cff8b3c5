import { holds, InvalidInputError, type Problem, SolverLimitError } from "../core/errors.ts";

/** How far a solver goes. */
export interface SolveLimits {
  /** Time for solvers that need a clock to stop, s. Those that count their work ignore it. */
  readonly timeLimitS: number;
  /** Relative gap between objective and bound at which a solution is good enough. */
  readonly gap: number;
  /** Seed of what a solver draws at random. */
  readonly seed: number;
  /** Told of each solution that is better than those before, its objective, and what none can be below. */
  readonly onBetter?: (solution: unknown, objective: number, bound: number) => void;
}

export const defaultLimits: SolveLimits = { timeLimitS: 20, gap: 1e-4, seed: 0 };

/** What a solver found. */
export interface Attempt<Solution> {
  /** null: none before the limit. */
  readonly solution: Solution | null;
  /** No solution is below this; -Infinity where the solver does not know. */
  readonly bound: number;
  /** Whether a limit of time ended it: another machine may find another solution. */
  readonly cut: boolean;
}

/** A way to solve problems of one kind: one file each, listed in the table of its kind. */
export interface Solver<Problem, Solution> {
  readonly name: string;
  /** What it does, as a scenario's schema says it. */
  readonly rule: string;
  /** Why it cannot take a problem, such as its size; null where it can. Absent: it takes all. */
  misfit?(problem: Problem): string | null;
  solve(problem: Problem, limits: SolveLimits): Attempt<Solution> | Promise<Attempt<Solution>>;
}

/** A kind of optimisation problem on plain numbers. All of them minimise. */
export interface Optimisation<Input, Solution> {
  readonly name: string;
  /** Its solvers by name. */
  readonly solvers: Readonly<Record<string, Solver<Input, Solution>>>;
  /** Name of the solver that is best for a problem of this size, by measurement. */
  preferred(problem: Input): string;
  /** What is wrong with a problem: every one, with its place. */
  problems(problem: Input): Problem[];
  /** Objective of a solution, worked out from the problem alone. */
  objective(problem: Input, solution: Solution): number;
  /** What a solution violates; null where it is one. */
  violation(problem: Input, solution: Solution): string | null;
  /** No solution is below this: cheap to work out, exact where it can be. */
  lowerBound(problem: Input): number;
}

/** A solution with what is known of its quality. */
export interface Answer<Solution> {
  readonly solution: Solution;
  readonly objective: number;
  readonly bound: number;
  /** (objective - bound) / |objective|; 0 where both are 0, Infinity where no bound is known. */
  readonly gap: number;
  /** Whether the gap is within the limit that was asked for. */
  readonly proved: boolean;
  readonly solver: string;
  readonly cut: boolean;
}

export interface SolveOptions extends Partial<SolveLimits> {
  /** Name of a solver of the kind; absent: the preferred one. */
  readonly solver?: string;
}

/** Solves a problem somewhere: here, or on another thread. */
export type SolveRunner = <Input, Solution>(
  kind: Optimisation<Input, Solution>,
  problem: Input,
  options?: SolveOptions,
) => Promise<Answer<Solution>>;

/** A solver with the limits that it is given, for a problem that is known to be sound. */
export interface ChosenSolver<Input, Solution> {
  readonly solver: Solver<Input, Solution>;
  readonly limits: SolveLimits;
}

/**
 * The solver of a problem: the one that is asked for, or the preferred one.
 * @throws InvalidInputError for a problem that has no solution and a solver that cannot take it
 */
export function choose<Input, Solution>(
  kind: Optimisation<Input, Solution>,
  problem: Input,
  options: SolveOptions,
): ChosenSolver<Input, Solution> {
  const problems = kind.problems(problem);
  if (problems.length > 0) throw new InvalidInputError(problems);
  const { solver: name = kind.preferred(problem), ...given } = options;
  const solver = kind.solvers[name];
  if (solver === undefined)
    throw new InvalidInputError([
      { at: "solver", expected: `one of ${Object.keys(kind.solvers).join(", ")} for ${kind.name}`, found: name },
    ]);
  const misfit = solver.misfit?.(problem) ?? null;
  if (misfit !== null) throw new InvalidInputError([{ at: "solver", expected: misfit, found: name }]);
  return { solver, limits: { ...defaultLimits, ...given } };
}

/**
 * Solves a problem on this thread and judges the solution by the problem alone, whatever the solver says of it.
 * @throws InvalidInputError for a problem that has no solution or a solver that cannot take it, SolverLimitError where the
 * limit came before any solution
 */
export const solveHere: SolveRunner = async (kind, problem, options = {}) => {
  const { solver, limits } = choose(kind, problem, options);
  return judged(kind, problem, solver.name, await solver.solve(problem, limits), limits);
};

/** An attempt as an answer. */
export function judged<Input, Solution>(
  kind: Optimisation<Input, Solution>,
  problem: Input,
  solver: string,
  { solution, bound: claimed, cut }: Attempt<Solution>,
  { gap: gapMax, timeLimitS }: SolveLimits,
): Answer<Solution> {
  if (solution === null)
    throw new SolverLimitError(
      `${solver} found no solution of ${kind.name}${cut ? ` within ${timeLimitS} s` : ""}: give it more time, or another solver`,
    );
  const violation = kind.violation(problem, solution);
  holds(violation === null, "solver-solution", () => `${solver} for ${kind.name}: ${violation}`);
  const objective = kind.objective(problem, solution);
  const bound = Math.min(objective, Math.max(claimed, kind.lowerBound(problem)));
  const gap = objective === bound ? 0 : bound === -Infinity ? Infinity : (objective - bound) / Math.abs(objective);
  return { solution, objective, bound, gap, proved: gap <= gapMax, solver, cut };
}
