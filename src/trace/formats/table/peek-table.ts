import { InvalidInputError } from "../../../core/errors.ts";
import type { TableColumns } from "./column-readers.ts";
import { delimiterOf, splitRow } from "./delimited.ts";
import { firstJson, keysOf } from "./json-documents.ts";
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
    const lines = text.split(/\r?\n/).filter((line) => line.trim() !== "");
    const at = lines.findIndex((line) => !line.startsWith("#"));
    const [first, second = first] = rowsIn(lines.slice(Math.max(0, at)), 2).map((row) =>
      splitRow("", 1, row, delimiter),
    );
    if (first === undefined || second === undefined || first.length !== second.length) return null;
    if (first.every((cell) => wholeNumber(cell) === null))
      return { file: "", delimiter, columns: first, first: second };
    // A header may stand in a comment, as NumPy writes it.
    const comment = lines[at - 1]?.replace(/^#+\s*/, "");
    const header = comment === undefined ? null : splitRow("", 1, comment, delimiter);
    const columns = header?.length === first.length ? header : first.map((_cell, i) => `#${i + 1}`);
    return { file: "", delimiter, columns, first };
  } catch (error) {
    if (error instanceof InvalidInputError) return null;
    throw error;
  }
}

/** The first rows that are no comments; a row goes on while a quote is open. */
function rowsIn(lines: readonly string[], count: number): string[] {
  const rows: string[] = [];
  let open = "";
  for (const line of lines) {
    if (rows.length === count) break;
    if (open === "" && line.startsWith("#")) continue;
    const row = open === "" ? line : `${open}\n${line}`;
    open = row.split('"').length % 2 === 0 ? row : "";
    if (open === "") rows.push(row);
  }
  return rows;
}
