import type { WeightSource } from "../decoder/weights.ts";
import { transposeInto } from "./transpose.ts";

/** Values that are read at a time: few enough to stay in the cache until they are transposed. */
const pieceValues = 1 << 19;

/**
 * Reads a matrix stored [rows, columns] and writes its transpose into the columns from `column` on of `target`, whose
 * rows are `stride` wide. The stored form is never whole in memory.
 */
export async function readTransposed(
  weights: WeightSource,
  name: string,
  [rows, columns]: readonly [number, number],
  target: Float32Array,
  stride: number,
  column: number,
): Promise<void> {
  const rowsMax = Math.max(1, Math.floor(pieceValues / columns));
  for (let from = 0; from < rows; from += rowsMax) {
    const to = Math.min(rows, from + rowsMax);
    const piece = await weights.readRange(name, [rows, columns], from, to);
    transposeInto(target, stride, column + from, piece, to - from, columns);
  }
}
