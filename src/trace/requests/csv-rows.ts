import { CsvError, parse } from "csv-parse/sync";
import type { Reject } from "./fields.ts";
import type { RequestRow, RowSink, TextReader } from "./request-format.ts";

/** The cells of a row by column name; a column that the file lacks is undefined. */
type Cells = (column: string) => string | undefined;

/** Reads a CSV with a header line: columns are found by name, in any order, and unknown ones are ignored. */
export function csvRows(
  sink: RowSink,
  required: readonly string[],
  decode: (cells: Cells, reject: Reject) => RequestRow | null,
): TextReader {
  let columns: ReadonlyMap<string, number> | null = null;
  return (lines, firstLine) => {
    for (const [index, text] of lines.entries()) {
      if (text.trim() === "") continue;
      const line = firstLine + index;
      const record = cellsOf(text);
      if (record === null) {
        sink.problem({ line, expected: "well-formed CSV", found: text });
        continue;
      }
      if (columns === null) {
        columns = headerOf(sink, record, line, required);
        continue;
      }
      const byName = columns;
      if (record.length !== byName.size) {
        sink.problem({ line, expected: `${byName.size} cells`, found: record.length });
        continue;
      }
      const reject: Reject = (at, expected, found) => {
        sink.problem({ line, at, expected, found });
        return null;
      };
      const row = decode((column) => record[byName.get(column) ?? -1], reject);
      if (row !== null) sink.row(line, row);
    }
  };
}

/** Whether a text begins with a CSV header that has these columns. */
export function hasColumns(head: string, required: readonly string[]): boolean {
  const header = (head.split("\n", 1)[0] ?? "").split(",").map((name) => name.trim().replace(/^"(.*)"$/, "$1"));
  return required.every((column) => header.includes(column));
}

/** Cells of a line, or null where its quotes do not close; no layout here has a line end inside a cell. */
function cellsOf(text: string): readonly string[] | null {
  // Lines without quotes, nearly all of them, are split here: csv-parse takes 10 us a row.
  if (!text.includes('"')) return text.split(",").map((cell) => cell.trim());
  try {
    return (parse(text, { relax_column_count: true, trim: true }) as readonly string[][])[0] ?? [];
  } catch (error) {
    if (error instanceof CsvError) return null;
    throw error;
  }
}

function headerOf(sink: RowSink, record: readonly string[], line: number, required: readonly string[]) {
  const columns = new Map(record.map((name, index) => [name, index]));
  const missing = required.filter((column) => !columns.has(column));
  if (missing.length > 0) {
    const expected = `a header with ${required.join(",")}`;
    sink.fatal({ line, expected, found: record.join(","), hint: `missing: ${missing.join(", ")}` });
  }
  if (columns.size !== record.length)
    sink.fatal({ line, expected: "column names that differ", found: record.join(",") });
  return columns;
}
