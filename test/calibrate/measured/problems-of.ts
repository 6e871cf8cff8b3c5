import { InvalidInputError, type Problem } from "../../../src/core/errors.ts";

/** The problems that a reader throws; none when it throws nothing. Any other error is passed on. */
export function problemsOf(read: () => unknown): readonly Problem[] {
  try {
    read();
  } catch (error) {
    if (error instanceof InvalidInputError) return error.problems;
    throw error;
  }
  return [];
}
