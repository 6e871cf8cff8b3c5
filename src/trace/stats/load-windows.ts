import type { CountsTable, RoutingTable } from "../routing-table.ts";

/** Choices of each expert in each of `windows` equal stretches of the rows, in stored order: [windows][layers x experts]. */
export function loadWindows({ rows, layers, topK, experts, ids }: RoutingTable, windows: number): Float64Array[] {
  const out = emptyWindows(Math.min(windows, rows), layers * experts);
  const stride = layers * topK;
  for (let row = 0; row < rows; row++) {
    const counts = out[Math.floor((row * out.length) / rows)]!;
    for (let at = 0; at < stride; at++) {
      const expert = ids[row * stride + at]!;
      if (expert < experts) counts[Math.floor(at / topK) * experts + expert]! += 1;
    }
  }
  return out;
}

/** The same of counted steps, an equal number of them in each. */
export function stepWindows({ steps, layers, experts, counts }: CountsTable, windows: number): Float64Array[] {
  const size = layers * experts;
  const out = emptyWindows(Math.min(windows, steps), size);
  for (let step = 0; step < steps; step++) {
    const sums = out[Math.floor((step * out.length) / steps)]!;
    for (let at = 0; at < size; at++) sums[at]! += counts[step * size + at]!;
  }
  return out;
}

const emptyWindows = (windows: number, size: number): Float64Array[] =>
  Array.from({ length: windows }, () => new Float64Array(size));
