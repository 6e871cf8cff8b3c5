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
    const [first, second = first] = lines
      .slice(Math.max(0, at))
      .filter((line) => !line.startsWith("#"))
      .slice(0, 2)
      .map((line) => splitRow("", 1, line, delimiter));
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
