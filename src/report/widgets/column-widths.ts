import type { Align } from "../text-table.ts";
import { styledWidth } from "./styled-text.ts";

/** A column of a table that gives way where there is no room. */
export interface TableColumn {
  readonly header: string;
  /** Left by default. Numbers stand at the right, and are cut after every text. */
  readonly align?: Align | undefined;
  /** Columns with a number are left out where the table is too wide, the highest number first; others stay. */
  readonly dispensable?: number | undefined;
  /** Cells that a cut text keeps before columns are left out: 12 by default. */
  readonly min?: number | undefined;
}

/** A column that is shown, and its cells. */
export interface ColumnWidth {
  readonly column: number;
  readonly cells: number;
}

const textMin = 12;

/** The columns that fit into `room` cells with `gap` between them: texts are cut to their least first, then columns go, then all is cut. */
export function columnWidths(
  columns: readonly TableColumn[],
  rows: readonly (readonly string[])[],
  room: number,
  gap: number,
): ColumnWidth[] {
  const widest = (i: number) => rows.reduce((most, row) => Math.max(most, styledWidth(row[i] ?? "")), 0);
  const natural = columns.map((_, i) => Math.min(widest(i), Math.max(0, room)));
  const least = columns.map(({ align, min = textMin }, i) =>
    align === "right" ? (natural[i] ?? 0) : Math.min(natural[i] ?? 0, Math.max(1, min)),
  );
  const kept = columns.map((_, i) => i);
  const needed = (cells: readonly number[]) =>
    kept.reduce((sum, i) => sum + (cells[i] ?? 0), gap * Math.max(0, kept.length - 1));
  while (needed(least) > room) {
    const last = mostDispensable(columns, kept);
    if (last === null) break;
    kept.splice(kept.indexOf(last), 1);
  }
  const cells = [...natural];
  const texts = kept.filter((i) => columns[i]?.align !== "right");
  cutWidest(cells, texts, least, () => needed(cells) - room);
  cutWidest(
    cells,
    texts,
    columns.map(() => 1),
    () => needed(cells) - room,
  );
  cutWidest(
    cells,
    kept,
    columns.map(() => 1),
    () => needed(cells) - room,
  );
  return kept.map((column) => ({ column, cells: cells[column] ?? 0 }));
}

/** The column with the highest number, the rightmost of equal ones; null where all must stay. */
function mostDispensable(columns: readonly TableColumn[], kept: readonly number[]): number | null {
  let found: number | null = null;
  for (const i of kept) {
    const number = columns[i]?.dispensable;
    if (number === undefined || kept.length === 1) continue;
    if (found === null || number >= (columns[found]?.dispensable ?? 0)) found = i;
  }
  return found;
}

/** Takes cells from the widest of some columns, one after another, until nothing is left over or each has its least. */
function cutWidest(cells: number[], columns: readonly number[], least: readonly number[], over: () => number): void {
  for (let excess = over(); excess > 0; excess -= 1) {
    let widest: number | null = null;
    for (const i of columns) {
      if (cells[i]! <= least[i]!) continue;
      if (widest === null || cells[i]! > cells[widest]!) widest = i;
    }
    if (widest === null) return;
    cells[widest]! -= 1;
  }
}
