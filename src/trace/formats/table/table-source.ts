import { InvalidInputError, type Problem, refuse } from "../../../core/errors.ts";
import type { Column } from "../../column-map.ts";
import { plainBytes } from "../../text-lines.ts";
import type { TableColumns } from "./column-readers.ts";
import { delimitedRows, delimiterOf } from "./delimited.ts";
import type { TableMap } from "./fields.ts";
import { jsonRecords, keysOf } from "./json-documents.ts";
import type { TableRecord } from "./table-record.ts";
import { wholeNumber } from "./values.ts";

/** A file of rows, opened; its rows are there as often as they are asked for. */
export interface TableSource extends TableColumns {
  /** Lines that are no rows: comments. */
  readonly comments: number;
  records(): AsyncGenerator<readonly TableRecord[]>;
}

const headChars = 1 << 16;

/** Opens a table: delimited text or JSON, told apart by the first character. Without a map the first line is a header. */
export async function openTable(file: string, map: TableMap | null): Promise<TableSource> {
  const head = await headOf(file);
  if (head.trim() === "") refuse({ file, expected: "a table with rows", found: "an empty file" });
  if (head.includes("\u0000"))
    refuse({
      file,
      expected: "a table as text in UTF-8: CSV, TSV or JSON",
      found: "bytes that are no text",
      hint: "UTF-16, as spreadsheets and PowerShell write it, has to be saved as UTF-8",
    });
  if (!head.includes("\n") && /\r[^\r]/.test(head))
    refuse({ file, expected: "lines that end in LF or CRLF", found: "carriage returns alone" });
  return /^[{[]/.test(head.trimStart()) ? openJson(file, head) : openDelimited(file, head, map);
}

async function headOf(file: string): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const bytes of plainBytes(file)) {
    text += decoder.decode(bytes, { stream: true });
    if (text.length >= headChars) break;
  }
  return text;
}

async function openJson(file: string, head: string): Promise<TableSource> {
  for await (const [first] of jsonRecords(file, head))
    if (first !== undefined)
      return {
        file,
        delimiter: null,
        columns: keysOf(first.value),
        first: first.value,
        comments: 0,
        records: () => jsonRecords(file, head),
      };
  return refuse({ file, expected: "a table with rows", found: "none" });
}

async function openDelimited(file: string, head: string, map: TableMap | null): Promise<TableSource> {
  const delimiter = delimiterOf(head);
  const named = Object.values(map ?? {})
    .flat()
    .filter(({ number }) => number === null);
  let commented: readonly string[] | null = null;
  let header: readonly string[] | null = null;
  let headerLine = 0;
  let first: readonly string[] | null = null;
  let comments = 0;
  for await (const rows of delimitedRows(file, delimiter)) {
    for (const { cells, comment, line } of rows) {
      if (comment) {
        comments += 1;
        // A header may stand in a comment, as NumPy writes it.
        if (first === null && header === null) commented = cells;
        continue;
      }
      if (header === null && first === null && isHeader(cells, commented, named, map)) {
        header = cells;
        headerLine = line;
      } else first ??= cells;
    }
    if (first !== null) break;
  }
  if (header === null && commented !== null && commented.length === first?.length) header = commented;
  const columns = header ?? (first ?? []).map((_cell, i) => `#${i + 1}`);
  if (first === null) refuse({ file, expected: "rows below the header", found: "none" });
  const width = first.length === columns.length ? columns.length : header === null ? first.length : columns.length;
  return {
    file,
    delimiter,
    columns,
    first,
    comments,
    async *records() {
      const problems: Problem[] = [];
      let rowsBegan = false;
      for await (const rows of delimitedRows(file, delimiter)) {
        const records: TableRecord[] = [];
        for (const { line, cells, comment } of rows) {
          if (line === headerLine) continue;
          if (comment) {
            // A row may begin with a name such as #1.
            if (rowsBegan && cells.length === width && width > 1)
              problems.push({
                file,
                line,
                expected: "a row, or a comment with fewer cells",
                found: `# ${cells.join(delimiter)}`,
              });
            continue;
          }
          // What spreadsheets leave below a table.
          if (cells.every((cell) => cell === "")) continue;
          rowsBegan = true;
          if (cells.length === width) records.push({ file, line, value: cells });
          else problems.push({ file, line, expected: `${width} cells`, found: cells.length });
        }
        if (problems.length > 20) break;
        yield records;
      }
      if (problems.length > 0) throw new InvalidInputError(problems.slice(0, 20));
    },
  };
}

/** Whether the first row holds names: those of the map, or without any, whatever is not a row of numbers and lists. */
function isHeader(
  cells: readonly string[],
  commented: readonly string[] | null,
  named: readonly Column[],
  map: TableMap | null,
): boolean {
  if (named.length > 0) {
    const inComment = commented !== null && commented.length === cells.length;
    return !(inComment && !named.some(({ name }) => cells.includes(name)));
  }
  const places =
    map === null
      ? cells.map((_cell, i) => i)
      : [map.layer, map.token].flatMap((of) => (of === undefined ? [] : [(of[0].number ?? 1) - 1]));
  return !places.some((place) => wholeNumber(cells[place] ?? "") !== null);
}
