import type { LoadRows } from "./load-rows.ts";

/** Shortest length that a request counts with, as a share of the mean one. */
const lengthMin = 0.05;

/**
 * Length of every request relative to the mean one: the service time that its prompt and output tokens explain by least
 * squares. A service time divided by it is that of a request of mean length, so lengths do not look like load.
 */
export function requestLengths(rows: LoadRows): Float64Array {
  const { count, serviceNs, promptTokens, outputTokens } = rows;
  const service = centred(serviceNs);
  const prompt = centred(promptTokens);
  const output = centred(outputTokens);
  if (!(service.mean > 0)) return new Float64Array(count).fill(1);
  const slopes = nonNegative(
    dot(prompt.by, prompt.by),
    dot(prompt.by, output.by),
    dot(output.by, output.by),
    dot(prompt.by, service.by),
    dot(output.by, service.by),
  );
  return Float64Array.from({ length: count }, (_, i) =>
    Math.max(lengthMin, 1 + (slopes[0] * prompt.by[i]! + slopes[1] * output.by[i]!) / service.mean),
  );
}

/** Least squares of two regressors with coefficients >= 0. A regressor that would count negative is left out. */
function nonNegative(xx: number, xy: number, yy: number, xz: number, yz: number): [number, number] {
  const determinant = xx * yy - xy * xy;
  if (determinant > 1e-9 * xx * yy) {
    const a = (xz * yy - yz * xy) / determinant;
    const b = (yz * xx - xz * xy) / determinant;
    if (a >= 0 && b >= 0) return [a, b];
  }
  const alone = [xx > 0 ? Math.max(0, xz / xx) : 0, yy > 0 ? Math.max(0, yz / yy) : 0] as const;
  return alone[1] * yz >= alone[0] * xz ? [0, alone[1]] : [alone[0], 0];
}

function centred(values: ArrayLike<number>): { readonly mean: number; readonly by: Float64Array } {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  const mean = values.length === 0 ? 0 : sum / values.length;
  return { mean, by: Float64Array.from(values, (value) => value - mean) };
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
