import { InvalidInputError } from "../../core/errors.ts";
import type { Json } from "../../core/json.ts";
import { type Column, valueAt } from "../column-map.ts";
import { parseExactJson } from "./exact-json.ts";
import type { RowSink, TableRules } from "./request-format.ts";
import type { FieldColumns } from "./table-columns.ts";
import { TableRows } from "./table-rows.ts";

export type JsonObject = { readonly [key: string]: Json };

/** Reads rows that are JSON objects: each as text with the line it begins in. */
export class JsonRows {
  readonly #sink: RowSink;
  readonly #rows: TableRows;
  /** Columns that the user named and no row has had so far. */
  readonly #unseen: Set<Column>;

  constructor(sink: RowSink, layout: TableRules, columns: FieldColumns) {
    this.#sink = sink;
    this.#rows = new TableRows(sink, layout, columns);
    this.#unseen = new Set(layout.fromUser ? Object.values(columns).flat() : []);
  }

  add(text: string, line: number): void {
    const record = jsonObject(this.#sink, text, line);
    if (record === null) return;
    for (const column of this.#unseen) if ((valueAt(record, column) ?? null) !== null) this.#unseen.delete(column);
    this.#rows.add(
      line,
      (column) => valueAt(record, column),
      (key) => record[key],
    );
  }

  /** Notes what is missing in all rows. */
  end(): void {
    for (const { text } of this.#unseen)
      this.#sink.problem({ at: text, expected: "a key that at least one row has", found: "none" });
  }
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
