import { formatProblem, InfeasibleError, InvalidInputError, type Problem, SolverLimitError } from "../core/errors.ts";

type Expected = InvalidInputError | InfeasibleError | SolverLimitError;

/** Whether an error says why one of several alternatives cannot be, and the others still can. */
export const isExpected = (error: unknown): error is Expected =>
  error instanceof InvalidInputError || error instanceof InfeasibleError || error instanceof SolverLimitError;

/** What would have had to be, in a line. */
export function reasonOf(error: Expected): string {
  const [first] = error instanceof InvalidInputError ? error.problems : [];
  const line = first === undefined ? (error.message.split("\n")[0] ?? "") : formatProblem(withoutHint(first));
  // The key of a problem says more than its place in a file.
  const [, at, expected] = /(?:^|: |^)([\w.-]+): expected (.*)$/.exec(line) ?? [];
  return at === undefined ? line.replace(/^expected /, "needs ") : `${at}: needs ${expected}`;
}

const withoutHint = ({ hint: _hint, ...problem }: Problem): Problem => problem;
