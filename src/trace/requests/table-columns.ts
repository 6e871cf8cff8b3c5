import { InvalidInputError, type Problem } from "../../core/errors.ts";
import { type Column, columnMapOf, parseColumnMap, type ReadColumnMap } from "../column-map.ts";
import { type ColumnNames, type RequestField, requestFields, type TableRules } from "./request-format.ts";

/** Columns of a layout by the field that they hold. */
export type FieldColumns = Readonly<Partial<Record<RequestField, readonly Column[]>>>;

/** The columns of a layout, or of a mapping in a scenario; refuses all that is wrong with them at once. */
export function columnsOf(names: ColumnNames): FieldColumns {
  const given = Object.entries(names).filter(
    (entry): entry is [string, string | readonly string[]] => entry[1] !== undefined,
  );
  return checked(columnMapOf<RequestField>(Object.fromEntries(given), requestFields), "columns", ".");
}

/** The columns of a map in words, as `arrival=ts,prompt=in,output=out`. */
export const columnsOfMap = (map: string, option: string): FieldColumns =>
  checked(parseColumnMap<RequestField>(map, requestFields), option, " ");

function checked({ map, problems }: ReadColumnMap<RequestField>, place: string, parted: string): FieldColumns {
  const many = Object.values(map)
    .flat()
    .filter(({ path }) => path.some(({ kind }) => kind === "each"));
  const all: Problem[] = [
    ...problems,
    ...many.map(({ text }) => ({ expected: "one value a request: brackets with a number in them", found: text })),
  ];
  if (all.length > 0)
    throw new InvalidInputError(
      all.map((problem) => ({ ...problem, at: problem.at === undefined ? place : `${place}${parted}${problem.at}` })),
    );
  return map;
}

/** The columns without which a file does not have the layout. */
export function requiredColumns(layout: TableRules, columns: FieldColumns): readonly Column[] {
  const { arrival = [], prompt = [], output = [] } = columns;
  if (layout.fromUser) return Object.values(columns).flat();
  const marks = (layout.marks ?? arrival.map(({ text }) => text)).map((text): Column => markColumn(text));
  return [...prompt, ...output, ...marks];
}

/** A mark is the name of a column, or a path into a record where it has dots. */
function markColumn(text: string): Column {
  return { text, name: text, path: text.split(".").map((key) => ({ kind: "key", key })), number: null };
}
