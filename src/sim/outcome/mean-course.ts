const intervals = 256;

/** Weights, and amounts to be divided by them, by interval of simulated time from the first arrival on. */
export interface MeanCourseResult {
  readonly intervalNs: number;
  /** 0 in intervals in which nothing fell. */
  readonly weights: Float64Array;
  readonly amounts: Float64Array;
}

/**
 * A mean over the time of a run, in at most 256 equal intervals. When the run outgrows them, neighbours merge and the interval
 * doubles: memory is bounded, and what was added may come in any order.
 */
export class MeanCourse {
  private intervalNs = 1_000_000;
  private used = 0;
  private readonly weights = new Float64Array(intervals);
  private readonly amounts = new Float64Array(intervals);

  add(atNs: number, weight: number, amount: number): void {
    while (atNs >= this.intervalNs * intervals) this.halve();
    const at = Math.floor(atNs / this.intervalNs);
    this.weights[at]! += weight;
    this.amounts[at]! += amount;
    if (at >= this.used) this.used = at + 1;
  }

  private halve(): void {
    for (const values of [this.weights, this.amounts]) {
      for (let i = 0; i < intervals / 2; i++) values[i] = values[2 * i]! + values[2 * i + 1]!;
      values.fill(0, intervals / 2);
    }
    this.used = Math.ceil(this.used / 2);
    this.intervalNs *= 2;
  }

  result(): MeanCourseResult {
    return {
      intervalNs: this.intervalNs,
      weights: this.weights.slice(0, this.used),
      amounts: this.amounts.slice(0, this.used),
    };
  }
}
