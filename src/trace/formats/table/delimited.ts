import { CsvError, parse } from "csv-parse/sync";
import { refuse } from "../../../core/errors.ts";
import { textLines } from "../../text-lines.ts";

/** A row of a delimited text: its cells, and whether it is a comment. */
export interface DelimitedRow {
  readonly line: number;
  readonly cells: readonly string[];
  readonly comment: boolean;
}

/** What may separate cells; where a line holds several of them, the first. */
const delimiters = ["\t", ",", ";", "|", " "] as const;
export type Delimiter = (typeof delimiters)[number];

const rowCharsMax = 16 * 1024 * 1024;
const columnsMax = 65_536;

/** What separates cells, by the first line that is no comment: tabs before commas before semicolons, bars and spaces. */
export function delimiterOf(head: string): Delimiter {
  const lines = head.split(/\r?\n/).filter((line) => line.trim() !== "");
  const line = lines.find((text) => !text.startsWith("#")) ?? lines[0] ?? "";
  const bare = line.replace(/"(?:[^"]|"")*"/g, "").replace(/[[{(][^[\]{}()]*[\])}]/g, "");
  return delimiters.find((delimiter) => bare.trim().includes(delimiter)) ?? ",";
}

/** A row that has quotes, on one line or on several. */
interface QuotedRow {
  readonly line: number;
  readonly text: string;
}

/** Rows of delimited text: quoted cells may hold delimiters and line ends (RFC 4180); blank lines are skipped. */
export async function* delimitedRows(path: string, delimiter: Delimiter): AsyncGenerator<readonly DelimitedRow[]> {
  // Lines of a row whose quotes are still open.
  let open: string[] = [];
  let openChars = 0;
  let openLine = 0;
  let odd = false;
  for await (const { lines, firstLine } of textLines(path)) {
    const rows: (DelimitedRow | QuotedRow)[] = [];
    for (const [i, text] of lines.entries()) {
      const line = firstLine + i;
      const hasQuotes = text.includes('"');
      if (open.length === 0) {
        if (text.trim() === "") continue;
        if (text.startsWith("#")) {
          rows.push({ line, cells: unquotedCells(text.replace(/^#+\s*/, ""), delimiter), comment: true });
          continue;
        }
        if (!hasQuotes) {
          rows.push(rowOf(path, line, unquotedCells(text, delimiter)));
          continue;
        }
        openLine = line;
        odd = false;
      }
      open.push(text);
      openChars += text.length;
      if (hasQuotes && (text.split('"').length & 1) === 0) odd = !odd;
      if (odd) {
        if (openChars > rowCharsMax) unclosed(path, openLine);
        continue;
      }
      rows.push({ line: openLine, text: open.join("\n") });
      open = [];
      openChars = 0;
    }
    yield parsed(rows, path, delimiter);
  }
  if (open.length > 0) unclosed(path, openLine);
}

/** The rows with the quoted ones parsed, all at once: csv-parse takes 50 us to begin. */
function parsed(rows: readonly (DelimitedRow | QuotedRow)[], path: string, delimiter: Delimiter): DelimitedRow[] {
  const quoted = rows.filter((row) => "text" in row);
  const cells = quotedCells(quoted, path, delimiter);
  let next = 0;
  return rows.map((row) => ("text" in row ? rowOf(path, row.line, cells[next++] ?? []) : row));
}

function unclosed(path: string, line: number): never {
  refuse({ file: path, line, expected: "a quote that is closed", found: "an open one" });
}

function rowOf(path: string, line: number, cells: readonly string[]): DelimitedRow {
  if (cells.length > columnsMax)
    refuse({ file: path, line, expected: `at most ${columnsMax} columns`, found: cells.length });
  return { line, cells: cells.map((cell) => cell.trim()), comment: false };
}

const unquotedCells = (text: string, delimiter: Delimiter): readonly string[] =>
  delimiter === " " ? text.trim().split(/\s+/) : text.split(delimiter);

/** The cells of a row that has no neighbours. */
export const splitRow = (path: string, line: number, text: string, delimiter: Delimiter): readonly string[] =>
  (text.includes('"') ? (quotedCells([{ line, text }], path, delimiter)[0] ?? []) : unquotedCells(text, delimiter)).map(
    (cell) => cell.trim(),
  );

function quotedCells(rows: readonly QuotedRow[], path: string, delimiter: Delimiter): readonly (readonly string[])[] {
  if (rows.length === 0) return [];
  // In tab-separated text JSON often stands in cells as it is, so a quote may be a letter.
  const options = {
    delimiter,
    relax_column_count: true,
    relax_quotes: delimiter === "\t",
    record_delimiter: "\n",
    // Spaces around quotes; and between cells, where they are the delimiter.
    trim: delimiter !== " ",
  } as const;
  const parseAll = (some: readonly QuotedRow[]): string[][] | null => {
    try {
      const records = parse(some.map(({ text }) => text).join("\n"), options) as string[][];
      return records.length === some.length ? records : null;
    } catch (error) {
      if (error instanceof CsvError) return null;
      throw error;
    }
  };
  const all = parseAll(rows);
  if (all !== null) return all;
  // One of them is wrong: row by row it is found.
  return rows.map((row) => {
    const [cells] = parseAll([row]) ?? [];
    return (
      cells ?? refuse({ file: path, line: row.line, expected: "well-formed rows with closed quotes", found: row.text })
    );
  });
}
