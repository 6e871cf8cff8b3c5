/** Side of the blocks that are transposed at a time: two of them fit the first-level cache. */
const block = 32;

/** The transpose of a row-major matrix [rows, columns], in a fresh array. */
export function transposed(values: Float32Array, rows: number, columns: number): Float32Array {
  const out = new Float32Array(values.length);
  for (let row0 = 0; row0 < rows; row0 += block)
    for (let column0 = 0; column0 < columns; column0 += block) {
      const rowEnd = Math.min(rows, row0 + block);
      const columnEnd = Math.min(columns, column0 + block);
      for (let row = row0; row < rowEnd; row++)
        for (let column = column0; column < columnEnd; column++)
          out[column * rows + row] = values[row * columns + column]!;
    }
  return out;
}
