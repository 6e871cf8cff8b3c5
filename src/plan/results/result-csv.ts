import { csvCell } from "../../core/csv-cell.ts";
import type { ResultColumn } from "./result-table.ts";

const cell = (value: number | boolean | string | null): string =>
  value === null ? "" : typeof value === "string" ? csvCell(value) : String(value);

/** Columns as CSV with a line of their names; an empty cell where there is no value. */
export function resultCsv(columns: readonly ResultColumn[]): string {
  const rows = columns[0]?.data.length ?? 0;
  const lines = [columns.map(({ name }) => csvCell(name)).join(",")];
  for (let row = 0; row < rows; row++) lines.push(columns.map(({ data }) => cell(data[row] ?? null)).join(","));
  return `${lines.join("\n")}\n`;
}
