/** Tokens per layer and expert of a step by the data-parallel rank that they come from. Reused between steps. */
export class SourceCounts {
  /** [sources][trace layers x (experts + 1)] */
  readonly counts: readonly Uint32Array[];
  /** The sum of those that were taken. */
  private readonly taken: Uint32Array;
  private next = 0;

  constructor(sources: number, counters: number) {
    this.counts = Array.from({ length: sources }, () => new Uint32Array(counters));
    this.taken = new Uint32Array(counters);
  }

  clear(): void {
    this.taken.fill(0);
    this.next = 0;
  }

  /** Takes what the next source has added to the counters of the step. */
  take(counts: Uint32Array): void {
    const { taken } = this;
    const own = this.counts[this.next++]!;
    for (let i = 0; i < counts.length; i++) {
      own[i] = counts[i]! - taken[i]!;
      taken[i] = counts[i]!;
    }
  }
}
