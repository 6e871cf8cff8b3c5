import { oneLine } from "../core/printable.ts";
import { displayWidth } from "./display-width.ts";
import { scatterText } from "./scatter-text.ts";
import type { TerminalView } from "./terminal-view.ts";
import { plainStyle, type TextStyle, textTable, wrap, wrapHanging } from "./text-table.ts";
import type { PageSection, ValidationPage } from "./validation-page.ts";

/** Lines are at most this wide where nothing says how wide the terminal is. */
const defaultWidth = 112;

/** A validation as text for a terminal of `width` cells. */
export function validationSummary(
  page: ValidationPage,
  style: TextStyle = plainStyle,
  width: number = defaultWidth,
): string {
  const view: Omit<TerminalView, "level"> = { style, width };
  const head = [
    style.bold(oneLine(page.title)),
    ...page.subtitle.flatMap((line) => wrapHanging(line, width)).map(style.dim),
    "",
    ...wrapHanging(page.headline, width).map(style.bold),
  ];
  return `${[head, ...page.sections.map((section) => sectionLines(section, view))]
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n")}\n`;
}

function sectionLines(section: PageSection, view: Omit<TerminalView, "level">): string[] {
  const { style, width } = view;
  if (section.kind === "scatter") return [style.bold(section.title), ...scatterText(section.plot, width)];
  if (section.rows.length === 0) return [];
  const { title, note = "" } = section;
  const lines = fittedTable(section, width);
  const hasHeader = section.columns.some(({ header }) => header !== "");
  const beside = title.length + 2 + displayWidth(note) <= width;
  return [
    style.bold(title) + (note !== "" && beside ? style.dim(`  ${note}`) : ""),
    ...(beside ? [] : wrap(note, width - 2).map((line) => style.dim(`  ${line}`))),
    ...lines.map((line, i) => (section.quiet === true || (hasHeader && i === 0) ? style.dim(line) : line)),
  ];
}

/** The table with as many of its columns as fit, the least dispensable last to go. */
function fittedTable(section: Extract<PageSection, { kind: "table" }>, width: number): string[] {
  const { columns, rows } = section;
  const hasHeader = columns.some(({ header }) => header !== "");
  const order = columns
    .filter(({ dispensable }) => dispensable !== undefined)
    .sort((a, b) => (a.dispensable ?? 0) - (b.dispensable ?? 0));
  let lines: string[] = [];
  for (let dropped = 0; dropped <= order.length; dropped += 1) {
    const gone = new Set(order.slice(0, dropped));
    const kept = columns.flatMap((column, i) => (gone.has(column) ? [] : [i]));
    const pick = (row: readonly string[]) => kept.map((i) => row[i] ?? "");
    const table = [...(hasHeader ? [columns.map(({ header }) => header)] : []), ...rows].map(pick);
    const align = kept.map((i) => columns[i]?.align ?? "left");
    // Text at the end of a row may wrap; columns go only where numbers would not fit.
    const wraps = (columns.at(-1)?.align ?? "left") === "left";
    lines = textTable(table, wraps ? { align, width } : { align });
    const cells = wraps
      ? textTable(
          table.map((row) => row.slice(0, -1)),
          { align },
        )
      : lines;
    const limit = wraps ? width - lastColumnMin : width;
    if (cells.every((line) => displayWidth(line) <= limit)) break;
  }
  return lines;
}

/** Text at the end of a row gets at least this many cells before other columns stay. */
const lastColumnMin = 30;
