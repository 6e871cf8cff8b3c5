import { InvalidInputError, type Problem } from "../../../core/errors.ts";
import { type Json, parseJson } from "../../../core/json.ts";
import { closest } from "../../../core/suggest.ts";
import { type Column, type PathStep, valueAt } from "../../column-map.ts";
import type { Delimiter } from "./delimited.ts";
import { keysOf } from "./json-documents.ts";
import { gathered, numberedColumns } from "./numbered-columns.ts";

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

/** The reader of a column, or what the table would have to have for it. */
function readerOf(table: TableColumns, column: Column): ColumnReader | string {
  const { number, name } = column;
  if (number !== null) {
    const cells = Array.isArray(table.first) ? table.first.length : 0;
    if (number > cells) return `a column ${column.text} (there are ${cells})`;
    return { column, base: (record) => (record as readonly Json[])[number - 1], rest: [] };
  }
  if (table.columns.filter((own) => own === name).length > 1) return `one column "${name}"`;
  return table.delimiter === null ? jsonReader(table, column) : cellReader(table, column);
}

/** A record may lack a key, so that any path is right until it leads nowhere in every record. */
function jsonReader({ columns, first }: TableColumns, column: Column): ColumnReader | string {
  const { name, path } = column;
  if (Array.isArray(first) && path[0]?.kind === "key")
    return `a column by its number, such as #1, or an object instead of "${name}"`;
  const numbered = columns.includes(name) ? null : numberedColumns(columns, path);
  if (numbered !== null)
    return {
      column,
      // Records may have other columns than the first one.
      base: (record) => {
        const own = numberedColumns(keysOf(record), path);
        return own === null ? undefined : gathered(own, (key) => (record as { readonly [key: string]: Json })[key]);
      },
      rest: numbered.rest,
    };
  const isNested = path.some(({ kind }) => kind === "each");
  return isNested
    ? { column, base: (record) => record, rest: path }
    : { column, base: (record) => valueAt(record, column), rest: [] };
}

function cellReader({ columns }: TableColumns, column: Column): ColumnReader | string {
  const { name, path } = column;
  const cell = (own: string) => {
    const place = columns.indexOf(own);
    return (record: Json) => (record as readonly Json[])[place];
  };
  if (columns.includes(name)) return { column, base: cell(name), rest: [] };
  const numbered = numberedColumns(columns, path);
  if (numbered !== null) {
    const cells = new Map(numbered.names.flatMap(({ own }) => own.map((each) => [each, cell(each)] as const)));
    return { column, base: (record) => gathered(numbered, (own) => cells.get(own)?.(record)), rest: numbered.rest };
  }
  const [head, ...rest] = path;
  if (head?.kind !== "key" || rest.length === 0 || !columns.includes(head.key)) return `a column "${name}"`;
  const outer = cell(head.key);
  return { column, base: (record) => jsonIn(outer(record)), rest };
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
