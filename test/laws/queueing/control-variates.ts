import { mean } from "../../../src/core/statistics.ts";
import { studentT } from "../../../src/core/student-t.ts";

/**
 * Mean of `values` with the half-width of its confidence interval, after the part that a linear regression on the
 * controls explains has been taken out (Lavenberg and Welch 1981). One row of controls per value, each of expectation
 * 0; columns that do not vary, or only together with others, are left out.
 */
export function controlledMean(
  values: readonly number[],
  controls: readonly (readonly number[])[],
  level: number,
): { mean: number; halfWidth: number } {
  const n = values.length;
  const average = mean(values);
  let residual = values.map((value) => value - average);
  let estimate = average;
  // Orthogonal columns by Gram-Schmidt, so that each can be regressed on by itself.
  const columns: { values: number[]; mean: number; squares: number }[] = [];
  const width = controls[0]?.length ?? 0;
  let inflation = 1 / n;
  for (let c = 0; c < width; c++) {
    const raw = controls.map((row) => row[c] ?? NaN);
    let center = mean(raw);
    let column = raw.map((x) => x - center);
    const before = dot(column, column);
    for (const earlier of columns) {
      const share = dot(column, earlier.values) / earlier.squares;
      column = column.map((x, i) => x - share * (earlier.values[i] ?? NaN));
      center -= share * earlier.mean;
    }
    const squares = dot(column, column);
    if (squares <= 1e-9 * before) continue;
    columns.push({ values: column, mean: center, squares });
    const beta = dot(residual, column) / squares;
    residual = residual.map((r, i) => r - beta * (column[i] ?? NaN));
    estimate -= beta * center;
    inflation += (center * center) / squares;
  }
  const degrees = n - 1 - columns.length;
  const variance = dot(residual, residual) / degrees;
  return { mean: estimate, halfWidth: studentT(degrees, level) * Math.sqrt(variance * inflation) };
}

function dot(a: readonly number[], b: readonly number[]): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] ?? NaN) * (b[i] ?? NaN);
  return sum;
}
