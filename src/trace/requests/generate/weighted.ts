/** Index of the weight into which a uniform number of [0, 1) falls; never one of weight 0. */
export function weighted(weights: readonly number[]): (uniform: number) => number {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const last = weights.findLastIndex((weight) => weight > 0);
  return (uniform) => {
    let left = uniform * total;
    for (const [index, weight] of weights.entries()) {
      left -= weight;
      if (left < 0) return index;
    }
    return last;
  };
}
