/** `count` knots from the least to the largest of the values, evenly spaced in their logarithm, rounded to 3 digits. */
export function spreadKnots(values: Iterable<number>, count: number): number[] {
  let least = Infinity;
  let most = 0;
  for (const value of values) {
    least = Math.min(least, value);
    most = Math.max(most, value);
  }
  if (!(most > least) || count < 2) return [rounded(least)];
  const step = Math.log2(most / least) / (count - 1);
  return [...new Set(Array.from({ length: count }, (_, i) => rounded(Math.exp(Math.LN2 * step * i) * least)))];
}

/** A number to 3 significant digits. */
export function rounded(value: number, digits = 3): number {
  return Number(value.toPrecision(digits));
}
