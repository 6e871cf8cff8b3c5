/** A search for the largest factor that a monotone test passes, from a factor that is tried first. */
export class Bisection {
  /** The largest factor that passed, and the smallest above it that did not. */
  passed: number | null = null;
  failed: number | null = null;
  readonly #step: number;
  readonly #tolerance: number;
  readonly #smallest: number;
  readonly #largest: number;
  #next: number;

  /**
   * @param step ratio by which it goes on while all pass, or none does
   * @param tolerance ratio of failed over passed at which it ends
   * @param smallest factor below which nothing is tried: there is no answer then
   * @param largest factor above which nothing is tried
   */
  constructor(parts: { first: number; step: number; tolerance: number; smallest: number; largest: number }) {
    this.#next = parts.first;
    this.#step = parts.step;
    this.#tolerance = parts.tolerance;
    this.#smallest = parts.smallest;
    this.#largest = parts.largest;
  }

  /** The factor to try, or null where the search has ended. */
  next(): number | null {
    const { passed, failed } = this;
    if (passed !== null && failed !== null && failed / passed <= this.#tolerance) return null;
    return this.#next < this.#smallest || this.#next > this.#largest ? null : this.#next;
  }

  /** Takes what became of the factor that was to be tried. */
  take(passes: boolean): void {
    if (passes) this.passed = this.#next;
    else this.failed = this.#next;
    if (this.passed === null) this.#next = this.failed! / this.#step;
    else if (this.failed === null) this.#next = this.passed * this.#step;
    // The middle by ratio: rates of any size are told as finely.
    else this.#next = Math.sqrt(this.passed * this.failed);
  }
}
