import { CsvError, parse } from "csv-parse/sync";
import type { Column } from "../column-map.ts";
import type { RowSink, TableRules, TextReader } from "./request-format.ts";
import { type FieldColumns, requiredColumns } from "./table-columns.ts";
import { TableRows } from "./table-rows.ts";

const separators = ["\t", ",", ";", "|"] as const;

/**
 * Reads a table whose cells are parted by the separator that its first line has: tabs, commas, semicolons or bars. Columns
 * are found by name in the header, in any order, and unknown ones are ignored; a header is not needed where every column
 * is given by its place.
 */
export function csvRows(sink: RowSink, layout: TableRules, columns: FieldColumns): TextReader {
  const rows = new TableRows(sink, layout, columns);
  let header: Header | null = null;
  return (lines, firstLine) => {
    for (const [index, text] of lines.entries()) {
      if (text.trim() === "") continue;
      const line = firstLine + index;
      const separator = header?.separator ?? separatorOf(text);
      const record = cellsOf(text, separator);
      if (record === null) {
        sink.problem({ line, expected: "well-formed CSV", found: text });
        continue;
      }
      if (header === null) {
        header = headerOf(sink, record, line, separator, layout, columns);
        if (header.names !== null) continue;
      }
      const { names, width } = header;
      if (record.length !== width) {
        sink.problem({ line, expected: `${width} cells`, found: record.length });
        continue;
      }
      rows.add(
        line,
        ({ name, number }) => record[number === null ? (names?.get(name) ?? -1) : number - 1],
        (column) => record[names?.get(column) ?? -1],
      );
    }
  };
}

interface Header {
  readonly separator: string;
  readonly width: number;
  /** Place of a column by name; null for a file without header. */
  readonly names: ReadonlyMap<string, number> | null;
}

/** Names of the first line of a text, as a header. */
export function headerNames(head: string): readonly string[] {
  const line = (head.split("\n", 1)[0] ?? "").replace(/^\ufeff/, "").replace(/\r$/, "");
  return cellsOf(line, separatorOf(line)) ?? [];
}

function separatorOf(line: string): string {
  const outside = line.replace(/"[^"]*"/g, "");
  return separators.find((separator) => outside.includes(separator)) ?? ",";
}

/** Cells of a line, or null where its quotes do not close; no layout here has a line end inside a cell. */
function cellsOf(text: string, delimiter: string): readonly string[] | null {
  // Lines without quotes, nearly all of them, are split here: csv-parse takes 10 us a row.
  if (!text.includes('"')) return text.split(delimiter).map((cell) => cell.trim());
  try {
    return (parse(text, { delimiter, relax_column_count: true, trim: true }) as readonly string[][])[0] ?? [];
  } catch (error) {
    if (error instanceof CsvError) return null;
    throw error;
  }
}

function headerOf(
  sink: RowSink,
  record: readonly string[],
  line: number,
  separator: string,
  layout: TableRules,
  columns: FieldColumns,
): Header {
  const width = record.length;
  const required = requiredColumns(layout, columns);
  const byPlace = required.every(({ number }) => number !== null);
  const beyond = required.filter(({ number }) => number !== null && number > width);
  if (beyond.length > 0)
    sink.fatal({
      line,
      expected: `${beyond.map(({ text }) => text).join(", ")} among the columns`,
      found: `${width} columns`,
    });
  // A table without names begins with its first request.
  if (byPlace && /^\d/.test(record[(columns.prompt?.[0]?.number ?? 1) - 1] ?? ""))
    return { separator, width, names: null };
  const names = new Map(record.map((name, index) => [name, index]));
  const missing = required.filter((column) => column.number === null && !names.has(column.name));
  if (missing.length > 0) {
    const expected = `a header with ${texts(required)}`;
    sink.fatal({ line, expected, found: record.join(separator), hint: `missing: ${texts(missing)}` });
  }
  if (names.size !== width) sink.fatal({ line, expected: "column names that differ", found: record.join(separator) });
  return { separator, width, names };
}

const texts = (columns: readonly Column[]): string => columns.map(({ text }) => text).join(", ");
