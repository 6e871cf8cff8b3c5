import type { TimeSeries } from "../result.ts";

const buckets = 256;

/**
 * Time-weighted state of the run in at most 256 equal intervals. When the run outgrows them, neighbours merge and the
 * interval doubles. Memory is bounded, and the result does not depend on how long the run will be.
 */
export class SeriesRecorder {
  private intervalNs = 1_000_000;
  private readonly waiting = new Float64Array(buckets);
  private readonly running = new Float64Array(buckets);
  private readonly kvUse = new Float64Array(buckets);
  private readonly outputTokens = new Float64Array(buckets);
  private endNs = 0;

  /** Adds a span of constant state. `kvUse` is a share; `outputTokens` appeared at its start. */
  add(fromNs: number, toNs: number, waiting: number, running: number, kvUse: number, outputTokens: number): void {
    while (toNs >= this.intervalNs * buckets) this.halve();
    this.endNs = Math.max(this.endNs, toNs);
    this.outputTokens[Math.floor(fromNs / this.intervalNs)]! += outputTokens;
    let at = fromNs;
    while (at < toNs) {
      const bucket = Math.floor(at / this.intervalNs);
      const until = Math.min(toNs, (bucket + 1) * this.intervalNs);
      const span = until - at;
      this.waiting[bucket]! += waiting * span;
      this.running[bucket]! += running * span;
      this.kvUse[bucket]! += kvUse * span;
      at = until;
    }
  }

  private halve(): void {
    for (const values of [this.waiting, this.running, this.kvUse, this.outputTokens]) {
      for (let i = 0; i < buckets / 2; i++) values[i] = values[2 * i]! + values[2 * i + 1]!;
      values.fill(0, buckets / 2);
    }
    this.intervalNs *= 2;
  }

  result(): TimeSeries {
    const used = Math.min(buckets, Math.floor(this.endNs / this.intervalNs) + 1);
    const means = (values: Float64Array) => values.slice(0, used).map((value) => value / this.intervalNs);
    return {
      intervalNs: this.intervalNs,
      waiting: means(this.waiting),
      running: means(this.running),
      kvUse: means(this.kvUse),
      outputTokens: this.outputTokens.slice(0, used),
    };
  }
}
