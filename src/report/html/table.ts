import { element, type Markup } from "./markup.ts";

/** A column of a table of the page. */
export interface HtmlColumn {
  readonly header: string;
  readonly right: boolean;
}

/** A row of it. */
export interface HtmlRow {
  readonly cells: readonly string[];
  readonly tone?: string;
  readonly id?: string;
  /** What cells are sorted by, where it is not their text. */
  readonly values?: readonly (number | null)[];
}

/** Texts from so many letters on get a column that is wide enough to read them. */
const longFrom = 40;

/** A table that scrolls by itself where the page is too narrow; one that can be sorted says so. */
export function htmlTable(
  name: string,
  columns: readonly HtmlColumn[],
  rows: readonly HtmlRow[],
  sortable = false,
): Markup {
  // The table tells which of its columns are numbers, and which long: a class in each cell would take most of the page.
  const classes = columns.flatMap(({ right }, column) => [
    ...(right ? [`r${column + 1}`] : []),
    ...(rows.some(({ cells }) => (cells[column] ?? "").length >= longFrom) ? [`l${column + 1}`] : []),
  ]);
  return element(
    "div",
    { class: "scroll", tabindex: 0, role: "region", "aria-label": name },
    element(
      "table",
      { class: classes.join(" ") || null, "data-sort": sortable ? name : null },
      columns.some(({ header }) => header !== "")
        ? element(
            "thead",
            {},
            element(
              "tr",
              {},
              columns.map(({ header }) => headerCell(header)),
            ),
          )
        : null,
      element(
        "tbody",
        {},
        rows.map((row) => tableRow(row, columns.length)),
      ),
    ),
  );
}

/** A column without a name is no header to those who hear the page. */
const headerCell = (header: string): Markup =>
  header === "" ? element("td") : element("th", { scope: "col" }, header);

const tableRow = ({ cells, tone, id, values }: HtmlRow, columns: number): Markup =>
  element(
    "tr",
    { class: tone ?? null, id: id ?? null },
    Array.from({ length: columns }, (_, column) =>
      element("td", { "data-value": values?.[column] ?? null }, cells[column] ?? ""),
    ),
  );

/** Columns that the style knows. */
export const columnsMax = 16;

/** Rows of text under headers; all but the first column are numbers. */
export const plainTable = (name: string, headers: readonly string[], rows: readonly (readonly string[])[]): Markup =>
  htmlTable(
    name,
    headers.map((header, column) => ({ header, right: column > 0 })),
    rows.map((cells) => ({ cells })),
  );
