import { InvalidInputError } from "../../core/errors.ts";
import type { Json } from "../../core/json.ts";
import { valueAt } from "../column-map.ts";
import { parseExactJson } from "./exact-json.ts";
import type { RowSink, TableLayout } from "./request-format.ts";
import type { FieldColumns } from "./table-columns.ts";
import { TableRows } from "./table-rows.ts";

export type JsonObject = { readonly [key: string]: Json };

/** Reads rows that are JSON objects: each as text with the line it begins in; blank ones are skipped. */
export function jsonRows(
  sink: RowSink,
  layout: TableLayout,
  columns: FieldColumns,
): (text: string, line: number) => void {
  const rows = new TableRows(sink, layout, columns);
  return (text, line) => {
    if (text.trim() === "") return;
    const record = jsonObject(sink, text, line);
    if (record !== null)
      rows.add(
        line,
        (column) => valueAt(record, column),
        (key) => record[key],
      );
  };
}

/** One JSON object, or null with its problems noted. */
export function jsonObject(sink: RowSink, text: string, line?: number): JsonObject | null {
  const where = line === undefined ? {} : { line };
  try {
    const value = parseExactJson(text, "", line);
    if (value !== null && typeof value === "object" && !Array.isArray(value)) return value as JsonObject;
    sink.problem({ ...where, expected: "a JSON object", found: value });
  } catch (error) {
    if (!(error instanceof InvalidInputError)) throw error;
    for (const problem of error.problems) sink.problem(problem);
  }
  return null;
}
