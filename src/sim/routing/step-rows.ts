/** What a step reads of a routing trace: its tokens per (layer, expert), and its rows in order. Reused between steps. */
export class StepRows {
  /** [trace layers][experts + 1] tokens routed in the step; the last counter of a layer: choices without an expert. */
  readonly counts: Uint32Array;
  /** [count] rows in batch order, where a replay keeps them. */
  rows: Int32Array = new Int32Array(1024);
  count = 0;

  constructor(counters: number) {
    this.counts = new Uint32Array(counters);
  }

  clear(): void {
    this.counts.fill(0);
    this.count = 0;
  }

  /** Keeps the rows [from, to). */
  keep(from: number, to: number): void {
    const needed = this.count + to - from;
    if (needed > this.rows.length) {
      const grown = new Int32Array(Math.max(needed, this.rows.length * 2));
      grown.set(this.rows);
      this.rows = grown;
    }
    for (let row = from; row < to; row++) this.rows[this.count++] = row;
  }
}
