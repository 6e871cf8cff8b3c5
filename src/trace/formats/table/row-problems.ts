import { InvalidInputError, type Problem } from "../../../core/errors.ts";

const problemsMax = 20;

/** Gathers what is wrong with the rows of a table, and gives up when it is a lot. */
export class RowProblems {
  readonly #problems: Problem[] = [];

  add(problem: Problem): void {
    this.#problems.push(problem);
    if (this.#problems.length >= problemsMax) this.settle();
  }

  /** Keeps the first problems for later. */
  keep(problem: Problem): void {
    if (this.#problems.length < problemsMax) this.#problems.push(problem);
  }

  /** Throws if anything was wrong. */
  settle(): void {
    if (this.#problems.length > 0) throw new InvalidInputError(this.#problems);
  }
}
