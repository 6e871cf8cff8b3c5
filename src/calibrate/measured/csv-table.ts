import { CsvError, parse } from "csv-parse/sync";
import { refuse } from "../../core/errors.ts";
import type { Json } from "../../core/json.ts";
import { printable } from "../../core/printable.ts";
import { closest } from "../../core/suggest.ts";
import type { ProblemList } from "./problem-list.ts";

/** A CSV text with a header line, columns found by name. */
export interface CsvTable {
  /** 1-based line of the header. */
  readonly headerLine: number;
  has(column: string): boolean;
  readonly rows: readonly CsvRow[];
}

export interface CsvRow {
  /** 1-based line of the file on which the row ends. */
  readonly line: number;
  /** Trimmed text of a cell without control characters; empty where the file has no such column. */
  cell(column: string): string;
}

interface Columns {
  /** Columns that have to be there. */
  readonly required: readonly string[];
  /** Columns that are read where they are there; a name near one of them is taken for a slip. */
  readonly optional: readonly string[];
}

/**
 * Reads a whole CSV text: quotes, CRLF, byte order mark, empty lines. Columns may come in any order, unknown ones are
 * ignored. Throws at once where no row could be read: text that is no CSV, missing or repeated columns, no rows. Rows
 * with a wrong number of cells become problems and are left out.
 */
export function readCsvTable(text: string, file: string, columns: Columns, problems: ProblemList): CsvTable {
  const [header, ...records] = recordsOf(text, file);
  if (header === undefined) refuse({ file, expected: "a CSV with a header line", found: "an empty file" });
  const indexOf = columnIndex(header, columns, problems);
  problems.settle();
  if (records.length === 0) refuse({ file, expected: "rows below the header", found: "none" });
  const rows: CsvRow[] = [];
  for (const { cells, line } of records) {
    if (cells.length !== header.cells.length) {
      problems.add({ line, expected: `${header.cells.length} cells`, found: cells.length });
      continue;
    }
    rows.push({ line, cell: (column) => printable(cells[indexOf.get(column) ?? -1] ?? "") });
  }
  return { headerLine: header.line, has: (column) => indexOf.has(column), rows };
}

/** Names of the columns in the first line of a text, to recognise a file by. */
export function headerColumns(text: string): ReadonlySet<string> {
  const first =
    text
      .replace(/^\ufeff/, "")
      .trimStart()
      .split(/[\r\n]/, 1)[0] ?? "";
  return new Set(first.split(",").map((name) => name.trim().replace(/^"(.*)"$/, "$1")));
}

interface Record {
  readonly cells: readonly string[];
  readonly line: number;
}

function recordsOf(text: string, file: string): readonly Record[] {
  try {
    const parsed = parse(text, {
      bom: true,
      info: true,
      trim: true,
      relax_column_count: true,
      skip_empty_lines: true,
      record_delimiter: ["\r\n", "\n", "\r"],
    }) as unknown as readonly { record: string[]; info: { lines: number } }[];
    return parsed.map(({ record, info }) => ({ cells: record, line: info.lines }));
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const { lines } = error as unknown as { lines?: number };
    return refuse({
      file,
      ...(lines === undefined ? {} : { line: lines }),
      expected: "well-formed CSV",
      hint: error.message,
    });
  }
}

function columnIndex(header: Record, columns: Columns, problems: ProblemList): ReadonlyMap<string, number> {
  const { line } = header;
  const known = new Set([...columns.required, ...columns.optional]);
  const indexOf = new Map<string, number>();
  for (const [index, name] of header.cells.entries()) {
    if (indexOf.has(name) && known.has(name)) problems.add({ line, expected: "columns that differ", found: name });
    indexOf.set(name, index);
  }
  const strangers = header.cells.filter((name) => !known.has(name));
  for (const column of known) {
    if (indexOf.has(column)) continue;
    const near = closest(column, strangers) ?? strangers.find((name) => closest(name, [column]) !== null) ?? null;
    const required = columns.required.includes(column);
    if (!required && near === null) continue;
    const hint = near === null ? {} : { hint: `did you mean ${column} by "${near}"?` };
    problems.add({ line, expected: `a column "${column}"`, ...hint });
  }
  return indexOf;
}

/** Rows as objects by column; cells that are decimal numbers become numbers, empty ones are not stated. */
export function rowsAsDocuments(text: string, file: string): Json[] {
  const [header, ...records] = recordsOf(text, file);
  return records.map(({ cells }) =>
    Object.fromEntries(
      (header?.cells ?? []).map((name, i): [string, Json] => {
        const cell = printable(cells[i] ?? "");
        const value = decimal(cell);
        return [name, cell === "" ? null : Number.isNaN(value) ? cell : value];
      }),
    ),
  );
}

/** A decimal number as written in tables; NaN for anything else, such as an empty cell, `inf` or `0x10`. */
export function decimal(cell: string): number {
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d{1,3})?$/i.test(cell) ? Number(cell) : Number.NaN;
}
