/** How evenly layers load their ranks. */
export interface LoadBalance {
  /** Heaviest over mean rank, mean over layers; 1 is perfect. */
  readonly maxOverMean: number;
  /** The layer with the largest ratio. */
  readonly worst: { readonly layer: number; readonly maxOverMean: number };
  /**
   * Sum of the layers' mean load over the sum of their largest, as vLLM logs it (`EPLB step: ... balancedness=`, eplb_state.py);
   * 1 is perfect.
   */
  readonly balancedness: number;
}

/** Balance of the loads of ranks, [layers][ranks]. Layers without any load are perfect. */
export function loadBalance(loads: Float64Array, ranks: number): LoadBalance {
  const layers = loads.length / ranks;
  let ratios = 0;
  let means = 0;
  let largest = 0;
  let worst = { layer: 0, maxOverMean: 1 };
  for (let layer = 0; layer < layers; layer++) {
    let sum = 0;
    let max = 0;
    for (let at = layer * ranks; at < (layer + 1) * ranks; at++) {
      sum += loads[at]!;
      max = Math.max(max, loads[at]!);
    }
    const maxOverMean = sum === 0 ? 1 : (max * ranks) / sum;
    ratios += maxOverMean;
    means += sum / ranks;
    largest += max;
    if (maxOverMean > worst.maxOverMean) worst = { layer, maxOverMean };
  }
  return { maxOverMean: layers === 0 ? 1 : ratios / layers, worst, balancedness: largest === 0 ? 1 : means / largest };
}
