import fc from "fast-check";
import { test } from "vitest";
import { transposeInto } from "../../../src/capture/checkpoint/transpose.ts";
import { drawn } from "../../drawn.ts";
import { counting } from "./checkpoint-files.ts";

test("every value lands in its column, and nothing else is written", () => {
  const sizes = fc.record({
    rows: fc.integer({ min: 1, max: 70 }),
    columns: fc.integer({ min: 1, max: 70 }),
    column: fc.integer({ min: 0, max: 5 }),
    more: fc.integer({ min: 0, max: 5 }),
  });
  fc.assert(
    fc.property(sizes, ({ rows, columns, column, more }) => {
      const source = counting(rows * columns, 1);
      const stride = column + rows + more;
      const target = new Float32Array(columns * stride);
      transposeInto(target, stride, column, source, rows, columns);
      const expected = Float32Array.from(target, (_value, at) => {
        const row = (at % stride) - column;
        return row >= 0 && row < rows ? source[row * columns + Math.floor(at / stride)]! : 0;
      });
      return target.every((value, at) => value === expected[at]);
    }),
    { numRuns: drawn(50) },
  );
});
