import { LogHistogram } from "../../core/histogram.ts";

/** Intervals of equal length from the first arrival on; twice as long once a run outgrows them. */
const intervals = 64;
const firstIntervalNs = 10_000_000;

/** Percentiles of a latency by the interval in which requests were completed; NaN where there were none. ns. */
export interface LatencySeries {
  readonly intervalNs: number;
  readonly p50: Float64Array;
  readonly p99: Float64Array;
}

/** A latency over the time of a run. Memory is bounded, however long that is. */
export class LatencyRecorder {
  private intervalNs = firstIntervalNs;
  private used = 0;
  private readonly slots: (LogHistogram | null)[] = new Array<LogHistogram | null>(intervals).fill(null);

  record(atNs: number, ns: number): void {
    while (atNs >= this.intervalNs * intervals) this.halve();
    const at = Math.floor(atNs / this.intervalNs);
    const slot = this.slots[at] ?? new LogHistogram();
    this.slots[at] = slot;
    slot.record(ns);
    if (at >= this.used) this.used = at + 1;
  }

  private halve(): void {
    for (let i = 0; i < intervals / 2; i++) {
      const [first, second] = [this.slots[2 * i]!, this.slots[2 * i + 1]!];
      if (first !== null && second !== null) first.merge(second);
      this.slots[i] = first ?? second;
    }
    this.slots.fill(null, intervals / 2);
    this.used = Math.ceil(this.used / 2);
    this.intervalNs *= 2;
  }

  result(): LatencySeries {
    const level = (p: number) =>
      Float64Array.from({ length: this.used }, (_, i) => this.slots[i]?.quantile(p) ?? Number.NaN);
    return { intervalNs: this.intervalNs, p50: level(0.5), p99: level(0.99) };
  }
}
