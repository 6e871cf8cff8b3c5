/** Number of things inside at every moment, from the times at which they enter and leave. */
export class CountPath {
  private readonly atNs: Float64Array;
  private readonly inside: Float64Array;
  /** Integral of the count up to each moment, ns. */
  private readonly integral: Float64Array;

  /** Pairs enter at `fromNs[i]` and leave at `untilNs[i]`, never where that is NaN. */
  constructor(fromNs: Float64Array, untilNs: Float64Array) {
    const from = fromNs.filter((at) => !Number.isNaN(at)).sort();
    const until = untilNs.filter((at) => !Number.isNaN(at)).sort();
    this.atNs = new Float64Array(from.length + until.length);
    this.inside = new Float64Array(this.atNs.length);
    this.integral = new Float64Array(this.atNs.length);
    let entered = 0;
    let left = 0;
    let previous = from[0] ?? 0;
    let area = 0;
    for (let change = 0; change < this.atNs.length; change++) {
      const enters = entered < from.length && (left >= until.length || from[entered]! <= until[left]!);
      const at = enters ? from[entered]! : until[left]!;
      area += (entered - left) * (at - previous);
      previous = at;
      if (enters) entered++;
      else left++;
      this.atNs[change] = at;
      this.inside[change] = entered - left;
      this.integral[change] = area;
    }
  }

  /** Number inside just after a moment. */
  at(ns: number): number {
    const index = this.find(ns);
    return index < 0 ? 0 : this.inside[index]!;
  }

  /** Mean number inside over a span; for an instant, the number at it. */
  mean(fromNs: number, untilNs: number): number {
    return untilNs > fromNs ? (this.area(untilNs) - this.area(fromNs)) / (untilNs - fromNs) : this.at(fromNs);
  }

  /** The last moment up to `ns` with nothing inside; the first moment of all if there is none. */
  lastEmptyNs(ns: number): number {
    let index = this.find(ns);
    while (index >= 0 && this.inside[index]! > 0) index--;
    return index < 0 ? (this.atNs[0] ?? 0) : index === this.find(ns) ? ns : this.atNs[index + 1]!;
  }

  private area(ns: number): number {
    const index = this.find(ns);
    return index < 0 ? 0 : this.integral[index]! + this.inside[index]! * (ns - this.atNs[index]!);
  }

  /** Index of the last change up to a moment; -1 before all. */
  private find(ns: number): number {
    let low = -1;
    let high = this.atNs.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.atNs[middle]! <= ns) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
