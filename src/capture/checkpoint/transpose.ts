/** Side of the tiles: a tile's rows of source and target stay in the first-level cache. */
const tile = 32;

/**
 * Writes the transpose of `source` [rows, columns] into the columns from `column` on of `target`, whose rows are
 * `stride` wide. Goes tile by tile, as a plain loop misses the cache at every step.
 */
export function transposeInto(
  target: Float32Array,
  stride: number,
  column: number,
  source: Float32Array,
  rows: number,
  columns: number,
): void {
  for (let fromRow = 0; fromRow < rows; fromRow += tile)
    for (let fromColumn = 0; fromColumn < columns; fromColumn += tile) {
      const toRow = Math.min(rows, fromRow + tile);
      const toColumn = Math.min(columns, fromColumn + tile);
      for (let c = fromColumn; c < toColumn; c++) {
        const at = c * stride + column;
        for (let r = fromRow; r < toRow; r++) target[at + r] = source[r * columns + c]!;
      }
    }
}
