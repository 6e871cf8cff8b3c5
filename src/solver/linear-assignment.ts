/**
 * The linear assignment problem: every row to a column of its own so that the sum of costs is least. Shortest augmenting paths with
 * potentials (Jonker and Volgenant 1987), O(n^3).
 *
 * @param cost [n][n]; Infinity where a row may not have a column
 * @returns [n] column of each row; null where no assignment avoids Infinity
 */
export function assignLinear(cost: Float64Array, n: number): Uint16Array | null {
  const rowPotential = new Float64Array(n + 1);
  const columnPotential = new Float64Array(n + 1);
  // Column 0 and row 0 stand for none.
  const rowOf = new Int32Array(n + 1);
  const from = new Int32Array(n + 1);
  const least = new Float64Array(n + 1);
  const seen = new Uint8Array(n + 1);
  for (let row = 1; row <= n; row++) {
    rowOf[0] = row;
    let column = 0;
    least.fill(Infinity);
    seen.fill(0);
    do {
      seen[column] = 1;
      const own = rowOf[column]!;
      let delta = Infinity;
      let next = -1;
      for (let other = 1; other <= n; other++) {
        if (seen[other] === 1) continue;
        const reduced = cost[(own - 1) * n + other - 1]! - rowPotential[own]! - columnPotential[other]!;
        if (reduced < least[other]!) {
          least[other] = reduced;
          from[other] = column;
        }
        if (least[other]! < delta) {
          delta = least[other]!;
          next = other;
        }
      }
      if (next < 0) return null;
      for (let other = 0; other <= n; other++)
        if (seen[other] === 1) {
          rowPotential[rowOf[other]!]! += delta;
          columnPotential[other]! -= delta;
        } else least[other]! -= delta;
      column = next;
    } while (rowOf[column] !== 0);
    do {
      const before = from[column]!;
      rowOf[column] = rowOf[before]!;
      column = before;
    } while (column !== 0);
  }
  const columnOf = new Uint16Array(n);
  for (let column = 1; column <= n; column++) columnOf[rowOf[column]! - 1] = column - 1;
  return columnOf;
}
