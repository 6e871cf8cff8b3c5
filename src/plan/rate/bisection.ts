/** A search for the largest factor that a monotone test passes, from a factor that is tried first. */
export class Bisection {
  /** The largest factor that passed, and the smallest above it that did not. */
  passed: number | null = null;
  failed: number | null = null;
  #step: number;
  readonly #tolerance: number;
  readonly #smallest: number;
  readonly #largest: number;
  #next: number;

  /**
   * @param step ratio by which it goes on while all pass, or none does; squared each time
   * @param tolerance ratio of failed over passed at which it ends
   * @param smallest factor, the last that is tried while none passes: there is no answer then
   * @param largest factor, the last that is tried while all pass
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
    const ended = (failed !== null && failed <= this.#smallest) || (passed !== null && passed >= this.#largest);
    return ended ? null : this.#next;
  }

  /** Takes what became of the factor that was to be tried. */
  take(passes: boolean): void {
    if (passes) this.passed = this.#next;
    else this.failed = this.#next;
    // The middle by ratio: rates of any size are told as finely.
    if (this.passed !== null && this.failed !== null) this.#next = Math.sqrt(this.passed * this.failed);
    else {
      const next = this.passed === null ? this.failed! / this.#step : this.passed * this.#step;
      this.#next = Math.min(this.#largest, Math.max(this.#smallest, next));
      this.#step *= this.#step;
    }
  }
}
