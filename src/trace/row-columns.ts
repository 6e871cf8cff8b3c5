import type { RoutingTable } from "./routing-table.ts";

/** What a table holds for each row. */
export type RowColumns = Pick<RoutingTable, "ids" | "weights" | "scores" | "positions" | "phases" | "tokens">;
/** Rows with the shape of a table. */
export type ShapedRows = RowColumns & Pick<RoutingTable, "layers" | "topK" | "experts">;
type Column = Uint8Array | Uint16Array | Uint32Array | Float32Array;

/** The columns of a table, each one changed. `perRow` of its values belong to a row. */
export function changedColumns(
  { ids, weights, scores, positions, phases, tokens, layers, topK, experts }: ShapedRows,
  change: <T extends Column>(values: T, perRow: number) => T,
): RowColumns {
  return {
    ids: change(ids, layers * topK),
    ...(weights === undefined ? {} : { weights: change(weights, layers * topK) }),
    ...(scores === undefined ? {} : { scores: change(scores, layers * experts) }),
    ...(positions === undefined ? {} : { positions: change(positions, 1) }),
    ...(phases === undefined ? {} : { phases: change(phases, 1) }),
    ...(tokens === undefined ? {} : { tokens: change(tokens, 1) }),
  };
}

/** Views of the rows [from, to). */
export const viewOfRows = (table: ShapedRows, from: number, to: number): RowColumns =>
  changedColumns(table, (values, perRow) => values.subarray(from * perRow, to * perRow) as typeof values);

/** Copies of the rows of each range [from, to), one range after the other. */
export const copyOfRows = (table: ShapedRows, ranges: readonly (readonly [number, number])[]): RowColumns =>
  changedColumns(table, (values, perRow) => {
    const rows = ranges.reduce((sum, [from, to]) => sum + to - from, 0);
    const out = values.slice(0, rows * perRow) as typeof values;
    let row = 0;
    for (const [from, to] of ranges) {
      out.set(values.subarray(from * perRow, to * perRow), row * perRow);
      row += to - from;
    }
    return out;
  });
