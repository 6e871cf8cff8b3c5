/** A table row: the first cell to the left, the others to the right. */
export function row(cells: readonly string[], first = 46, other = 13): void {
  console.log(cells.map((cell, i) => (i === 0 ? cell.padEnd(first) : cell.padStart(other))).join(""));
}

export const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

/** Median; NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? NaN)
    : ((sorted[middle - 1] ?? NaN) + (sorted[middle] ?? NaN)) / 2;
}
