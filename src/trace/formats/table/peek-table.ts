import { InvalidInputError } from "../../../core/errors.ts";
import { delimiterOf, splitRow } from "./delimited.ts";
import { firstJson, keysOf } from "./json-documents.ts";
import type { TableColumns } from "./table-source.ts";
import { wholeNumber } from "./values.ts";

/** The columns and the first row of a table, from the beginning of its text; null where there is no such table. */
export function peekTable(text: string): TableColumns | null {
  if (text.trim() === "" || text.includes("\u0000")) return null;
  try {
    if (/^[{[]/.test(text.trimStart())) {
      const first = firstJson(text);
      return first === undefined ? null : { file: "", delimiter: null, columns: keysOf(first), first };
    }
    const delimiter = delimiterOf(text);
    const rows = text.split(/\r?\n/).filter((line) => line.trim() !== "" && !line.startsWith("#"));
    const [header, row = header] = rows.slice(0, 2).map((line) => splitRow("", 1, line, delimiter));
    if (header === undefined || row === undefined || header.length !== row.length) return null;
    const isNamed = header.every((cell) => wholeNumber(cell) === null);
    return { file: "", delimiter, columns: isNamed ? header : header.map((_cell, i) => `#${i + 1}`), first: row };
  } catch (error) {
    if (error instanceof InvalidInputError) return null;
    throw error;
  }
}
