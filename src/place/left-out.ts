import { InfeasibleError, InvalidInputError, SolverLimitError } from "../core/errors.ts";

type Expected = InvalidInputError | InfeasibleError | SolverLimitError;

/** Whether an error says why one of several alternatives cannot be, and the others still can. */
export const isExpected = (error: unknown): error is Expected =>
  error instanceof InvalidInputError || error instanceof InfeasibleError || error instanceof SolverLimitError;

/** What would have had to be, in a line. */
export function reasonOf(error: Expected): string {
  const [first] = error instanceof InvalidInputError ? error.problems : [];
  if (first !== undefined) return `${first.at === undefined ? "" : `${first.at}: `}needs ${first.expected}`;
  const line = error.message.split("\n")[0] ?? "";
  // Of a problem that an engine refuses to start with, its place in the scenario says less than its key.
  const refused = /(?:^|: )([\w.]+): expected (.*)$/.exec(line);
  return refused === null ? line : `${refused[1]}: needs ${refused[2]}`;
}
