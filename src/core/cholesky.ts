/**
 * Solves A x = b for a symmetric positive definite A of order n, given as its lower triangle in row-major order; both
 * arguments are overwritten, b with x. A pivot that is not positive is lifted to a tiny one. Entries left of the first
 * nonzero of a row stay zero in the factor, so that the banded matrices of grids cost a fraction of full ones.
 */
export function solveCholesky(a: Float64Array, b: Float64Array): Float64Array {
  const n = b.length;
  const first = new Int32Array(n);
  for (let i = 0; i < n; i++) {
    let start = 0;
    while (start < i && a[i * n + start]! === 0) start++;
    first[i] = start;
    for (let j = start; j <= i; j++) {
      let sum = a[i * n + j]!;
      for (let k = Math.max(start, first[j]!); k < j; k++) sum -= a[i * n + k]! * a[j * n + k]!;
      a[i * n + j] = i === j ? Math.sqrt(Math.max(sum, 1e-12)) : sum / a[j * n + j]!;
    }
  }
  for (let i = 0; i < n; i++) {
    let sum = b[i]!;
    for (let k = first[i]!; k < i; k++) sum -= a[i * n + k]! * b[k]!;
    b[i] = sum / a[i * n + i]!;
  }
  for (let i = n - 1; i >= 0; i--) {
    const value = b[i]! / a[i * n + i]!;
    b[i] = value;
    for (let k = first[i]!; k < i; k++) b[k]! -= a[i * n + k]! * value;
  }
  return b;
}
