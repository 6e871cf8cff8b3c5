import { InvalidInputError, type Problem, refuse } from "../../../core/errors.ts";
import { type Json, parseJson } from "../../../core/json.ts";
import { closest } from "../../../core/suggest.ts";
import { type Column, type PathStep, valueAt } from "../../column-map.ts";
import { plainBytes } from "../../text-lines.ts";
import { type Delimiter, delimitedRows, delimiterOf } from "./delimited.ts";
import type { TableMap } from "./fields.ts";
import { jsonRecords, keysOf } from "./json-documents.ts";
import type { TableRecord } from "./table-record.ts";
import { wholeNumber } from "./values.ts";

/** How a column is read from a record: to a value, and from there through the entries of lists. */
export interface ColumnReader {
  readonly column: Column;
  readonly base: (record: Json) => Json | undefined;
  readonly rest: readonly PathStep[];
}

/** The columns of a table. */
export interface TableColumns {
  readonly file: string;
  /** What separates cells; null in JSON. */
  readonly delimiter: Delimiter | null;
  /** Names of the columns: of the header line, or the keys of the first record. */
  readonly columns: readonly string[];
  /** The first row of values. */
  readonly first: Json;
}

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

/** The readers of columns in a table; what is not there becomes a problem with the columns that are. */
export function resolveColumns(
  source: TableColumns,
  columns: readonly Column[],
  problems: Problem[],
): readonly ColumnReader[] {
  return columns.flatMap((column) => {
    const reader = readerOf(source, column);
    if (typeof reader !== "string") return [reader];
    const near = closest(column.name, source.columns);
    problems.push({
      file: source.file,
      expected: reader,
      found: source.columns.slice(0, 40).join(", "),
      ...(near === null ? {} : { hint: `did you mean ${near}?` }),
    });
    return [];
  });
}

function readerOf({ columns, first, delimiter }: TableColumns, column: Column): ColumnReader | string {
  const { number, name, path, text } = column;
  const isList = Array.isArray(first);
  if (number !== null) {
    const cells = isList ? first.length : 0;
    if (number > cells) return `a column ${text} (there are ${cells})`;
    return { column, base: (record) => (record as readonly Json[])[number - 1], rest: [] };
  }
  const places = columns.flatMap((own, i) => (own === name ? [i] : []));
  if (places.length > 1) return `one column "${name}"`;
  const pattern = patternColumns(columns, path);
  const [head, ...rest] = path;
  if (delimiter === null) {
    // A record may lack a key, so that any path is right until it leads nowhere in every record.
    if (isList && head?.kind === "key") return `a column by its number, such as #1, or an object instead of "${name}"`;
    if (places.length === 0 && pattern !== null)
      return {
        column,
        base: (record) => gather(pattern, (i) => (record as { [key: string]: Json })[columns[i] ?? ""]),
        rest: pattern.rest,
      };
    const cut = path.findIndex(({ kind }) => kind === "each");
    if (cut < 0) return { column, base: (record) => valueAt(record, column), rest: [] };
    return { column, base: (record) => record, rest: path };
  }
  const [place] = places;
  if (place !== undefined) return { column, base: (record) => (record as readonly Json[])[place], rest: [] };
  if (pattern !== null)
    return { column, base: (record) => gather(pattern, (i) => (record as readonly Json[])[i]), rest: pattern.rest };
  const nested = head?.kind === "key" && rest.length > 0 ? columns.indexOf(head.key) : -1;
  if (nested < 0) return `a column "${name}"`;
  return { column, base: (record) => jsonIn((record as readonly Json[])[nested]), rest };
}

/** A cell that holds JSON, also as Python prints it. */
function jsonIn(cell: Json | undefined): Json | undefined {
  if (typeof cell !== "string") return cell;
  for (const text of [
    cell,
    cell
      .replaceAll("(", "[")
      .replaceAll(")", "]")
      .replaceAll("'", '"')
      .replace(/\bNone\b/g, "null"),
  ])
    try {
      return parseJson(text, "");
    } catch (error) {
      // The next reading, or none.
      if (!(error instanceof InvalidInputError)) throw error;
    }
  return undefined;
}

/** Columns whose names differ by a number, such as `e[]` for e0, e1, or `layer_[layer]`: at most two numbers. */
interface Pattern {
  readonly rest: readonly PathStep[];
  /** Places of columns by their first number, ascending, then by their second. */
  readonly places: readonly { readonly key: string; readonly places: readonly number[] }[];
  readonly depth: 1 | 2;
}

function patternColumns(columns: readonly string[], path: readonly PathStep[]): Pattern | null {
  const eaches = path.filter(({ kind }) => kind === "each");
  if (eaches.length < 1 || eaches.length > 2 || path[0]?.kind !== "key") return null;
  const literal = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const source = path.map((step) =>
    step.kind === "key" ? literal(step.key) : step.kind === "each" ? "(\\d{1,9})" : "\\0",
  );
  const regex = new RegExp(`^${source.join("")}$`);
  const found = columns.flatMap((name, place) => {
    const [, ...numbers] = regex.exec(name) ?? [];
    return numbers.length === 0 ? [] : [{ place, numbers: numbers.map(Number) }];
  });
  if (found.length === 0) return null;
  found.sort((a, b) => (a.numbers[0] ?? 0) - (b.numbers[0] ?? 0) || (a.numbers[1] ?? 0) - (b.numbers[1] ?? 0));
  const byFirst = new Map<number, number[]>();
  for (const { place, numbers } of found) {
    const key = numbers[0] ?? 0;
    byFirst.set(key, [...(byFirst.get(key) ?? []), place]);
  }
  return {
    rest: eaches,
    places: [...byFirst].map(([key, places]) => ({ key: String(key), places })),
    depth: eaches.length === 2 ? 2 : 1,
  };
}

/** The values of such columns as an object by the first number. */
function gather({ places, depth }: Pattern, value: (place: number) => Json | undefined): Json {
  return Object.fromEntries(
    places.map(({ key, places: own }) => [
      key,
      depth === 1 ? (value(own[0] ?? 0) ?? null) : own.map((place) => value(place) ?? null),
    ]),
  );
}
