/** Sums over forward passes. */
interface PassSums {
  passes: number;
  balancedness: number;
}

/**
 * How evenly the ranks of a replica were loaded, pass by pass. Balancedness is what vLLM logs: pairs of the mean rank, summed over
 * MoE layers, over those of the heaviest rank, summed likewise; 1 is perfect.
 */
export class BalanceRecord {
  readonly before: PassSums = { passes: 0, balancedness: 0 };
  readonly after: PassSums = { passes: 0, balancedness: 0 };
  /** Mean over heaviest rank, mean over layers, summed over the passes since `forget`. */
  private used = 0;
  private passes = 0;

  /**
   * @param pairs [layers][ranks]
   * @param when before the first new map was made, after it or a later one was in use, or between
   */
  add(pairs: Float64Array, ranks: number, when: "before" | "between" | "after"): void {
    const layers = pairs.length / ranks;
    let sumMean = 0;
    let sumMost = 0;
    let used = 0;
    for (let layer = 0; layer < layers; layer++) {
      let sum = 0;
      let most = 0;
      for (let at = layer * ranks; at < (layer + 1) * ranks; at++) {
        const load = pairs[at]!;
        sum += load;
        if (load > most) most = load;
      }
      sumMean += sum / ranks;
      sumMost += most;
      used += most === 0 ? 1 : sum / (ranks * most);
    }
    this.used += used / layers;
    this.passes++;
    if (when === "between" || sumMost === 0) return;
    const sums = when === "before" ? this.before : this.after;
    sums.passes++;
    sums.balancedness += sumMean / sumMost;
  }

  /** Mean over the passes since `forget` of how well ranks were used; 1 without any. */
  get utilisation(): number {
    return this.passes === 0 ? 1 : this.used / this.passes;
  }

  forget(): void {
    this.used = 0;
    this.passes = 0;
  }
}
