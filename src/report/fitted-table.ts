import { displayWidth } from "./display-width.ts";
import { cellsOf, type PageColumn, type PageTable, shownIn, type Tone } from "./page.ts";
import { tableRows } from "./text-table.ts";

/** The lines of one row. */
export interface FittedRow {
  readonly lines: readonly string[];
  readonly isHeader: boolean;
  readonly tone?: Tone;
}

/** Text at the end of a row gets at least this many cells before other columns stay. */
const lastColumnMin = 30;

/** The table with as many of its columns as fit, the least dispensable last to go. */
export function fittedTable(section: PageTable, width: number, linesMax = Number.POSITIVE_INFINITY): FittedRow[] {
  const rows = shownIn(section.rows, "terminal");
  if (rows.length === 0) return [];
  const columns = shownIn(section.columns, "terminal");
  const hasHeader = section.headerOnly !== "markdown" && columns.some(({ header }) => header !== "");
  const order = columns
    .filter(({ dispensable }) => dispensable !== undefined)
    .sort((a, b) => (a.dispensable ?? 0) - (b.dispensable ?? 0));
  // Text at the end of a row may wrap; columns go only where numbers would not fit.
  const wraps = (columns.at(-1)?.align ?? "left") === "left";
  let fitted: string[][] = [];
  for (let dropped = 0; dropped <= order.length; dropped += 1) {
    const gone = new Set<PageColumn>(order.slice(0, dropped));
    const kept = section.columns.flatMap((column, i) => (columns.includes(column) && !gone.has(column) ? [i] : []));
    const table = [...(hasHeader ? [section.columns.map(({ header }) => header)] : []), ...rows.map(cellsOf)].map(
      (row) => kept.map((i) => row[i] ?? ""),
    );
    const align = kept.map((i) => section.columns[i]?.align ?? "left");
    fitted = tableRows(table, wraps ? { align, width, linesMax } : { align });
    const cells = wraps
      ? tableRows(
          table.map((row) => row.slice(0, -1)),
          { align },
        )
      : fitted;
    const limit = wraps ? width - lastColumnMin : width;
    if (cells.flat().every((line) => displayWidth(line) <= limit)) break;
  }
  return fitted.map((lines, i) => {
    const row = rows[hasHeader ? i - 1 : i];
    const tone = row !== undefined && "cells" in row ? row.tone : undefined;
    return { lines, isHeader: hasHeader && i === 0, ...(tone === undefined ? {} : { tone }) };
  });
}
