import { InvalidInputError, type Problem } from "../../core/errors.ts";

/** Problems listed one by one; a file in which every row is wrong is told as these and a count. */
const listedMax = 20;

/** Collects what is wrong with one file, so that all of it is told at once. */
export class ProblemList {
  readonly #file: string;
  readonly #listed: Problem[] = [];
  /** What was read otherwise than it stands there, in words. */
  readonly notes: string[] = [];
  #count = 0;

  constructor(file: string) {
    this.#file = file;
  }

  get count(): number {
    return this.#count;
  }

  /** Notes a problem; stands for the value that could not be read. */
  add(problem: Problem): null {
    this.#count += 1;
    if (this.#listed.length < listedMax) this.#listed.push({ file: this.#file, ...problem });
    return null;
  }

  /** Throws what was collected, if anything. */
  settle(): void {
    const more = this.#count - this.#listed.length;
    if (more > 0) this.#listed.push({ file: this.#file, expected: "no further problems", found: more });
    if (this.#listed.length > 0) throw new InvalidInputError(this.#listed);
  }
}
