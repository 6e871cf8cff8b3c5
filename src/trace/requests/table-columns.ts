import { InvalidInputError, type Problem } from "../../core/errors.ts";
import { type Column, columnMapOf } from "../column-map.ts";
import { type ColumnNames, type RequestField, requestFields, type TableLayout } from "./request-format.ts";

/** Columns of a layout by the field that they hold. */
export type FieldColumns = Readonly<Partial<Record<RequestField, readonly Column[]>>>;

/** The columns of a layout, read; what is wrong with a map of the user is said at once, under `columns`. */
export function columnsOf(names: ColumnNames): FieldColumns {
  const given = Object.entries(names).filter(
    (entry): entry is [string, string | readonly string[]] => entry[1] !== undefined,
  );
  const { map, problems } = columnMapOf<RequestField>(Object.fromEntries(given), requestFields);
  const many = Object.values(map)
    .flat()
    .filter(({ path }) => path.some(({ kind }) => kind === "each"));
  const all: Problem[] = [
    ...problems,
    ...many.map(({ text }) => ({ expected: "one value a request: brackets with a number in them", found: text })),
  ];
  if (all.length > 0)
    throw new InvalidInputError(
      all.map((problem) => ({ ...problem, at: problem.at === undefined ? "columns" : `columns.${problem.at}` })),
    );
  return map;
}

/** The columns without which a file does not have the layout. */
export function requiredColumns(layout: TableLayout, columns: FieldColumns): readonly Column[] {
  const { arrival = [], prompt = [], output = [] } = columns;
  if (layout.fromUser) return Object.values(columns).flat();
  const marks = (layout.marks ?? arrival.map(({ text }) => text)).map((text): Column => markColumn(text));
  return [...prompt, ...output, ...marks];
}

/** A mark is the name of a column, or a path into a record where it has dots. */
function markColumn(text: string): Column {
  return { text, name: text, path: text.split(".").map((key) => ({ kind: "key", key })), number: null };
}
