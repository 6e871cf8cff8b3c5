import { formatPercent } from "../../core/units.ts";
import {
  cellsOf,
  type PageBars,
  type PageLevels,
  type PageLine,
  type PageSection,
  type PageTable,
  shownIn,
} from "../page.ts";
import { plotText } from "../plot-text.ts";
import { scatterText } from "../scatter-text.ts";
import { element, type Markup } from "./markup.ts";
import { htmlTable, plainTable } from "./table.ts";

/**
 * Sections of a page as HTML, below a heading that need not be repeated. It shows what a terminal does, which has room for more
 * than Markdown.
 */
export const sectionsHtml = (sections: readonly PageSection[], heading = ""): Markup[] =>
  shownIn(sections, "terminal").flatMap((section) =>
    sectionHtml(section.kind !== "text" && section.title === heading ? { ...section, title: "" } : section),
  );

function sectionHtml(section: PageSection): Markup[] {
  switch (section.kind) {
    case "table":
      return tableHtml(section);
    case "bars":
      return titled(section, [barsHtml(section), ...linesHtml(section.after ?? [])]);
    case "levels":
      return titled(section, [levelsHtml(section), ...linesHtml(section.after ?? [])]);
    case "text":
      return [
        ...linesHtml([section.line]),
        ...(section.items === undefined || section.items.length === 0
          ? []
          : [
              element(
                "ul",
                {},
                section.items.map((item) => element("li", {}, item)),
              ),
            ]),
      ];
    case "plot":
      return titled(section, [element("pre", {}, plotText(section.plot).join("\n"))]);
    case "scatter":
      return titled(section, [element("pre", {}, scatterText(section.plot).join("\n"))]);
  }
}

const titled = (
  { title, note, verdict }: Pick<PageTable, "title" | "note" | "verdict">,
  content: readonly Markup[],
): Markup[] => [
  ...(title === "" ? [] : [element("h3", {}, title)]),
  ...[note, verdict].flatMap((text) =>
    text === undefined || text === "" ? [] : [element("p", { class: "quiet" }, text)],
  ),
  ...content,
];

function tableHtml(section: PageTable): Markup[] {
  const { before = [], after = [] } = section;
  const columns = shownIn(section.columns, "terminal");
  const kept = section.columns.flatMap((column, i) => (columns.includes(column) ? [i] : []));
  const rows = shownIn(section.rows, "terminal").map((row) => ({
    cells: kept.map((i) => cellsOf(row)[i] ?? ""),
    ...("cells" in row && row.tone !== undefined ? { tone: row.tone } : {}),
  }));
  const told = [linesHtml(before), linesHtml(after)] as const;
  if (rows.length + told[0].length + told[1].length === 0) return [];
  const table = htmlTable(
    section.title || "figures",
    columns.map(({ header, align }) => ({ header, right: align === "right" })),
    rows,
  );
  return titled(section, [...told[0], ...(rows.length === 0 ? [] : [table]), ...told[1]]);
}

/** Lines of text as paragraphs. */
export const linesHtml = (lines: readonly PageLine[]): Markup[] =>
  shownIn(lines, "terminal").map(({ text, tone, strong, quiet }) =>
    element(
      "p",
      { class: tone ?? (quiet === true ? "quiet" : null) },
      strong === true ? element("strong", {}, text) : text,
    ),
  );

const barsHtml = ({ title, bars }: PageBars): Markup =>
  plainTable(
    title,
    ["", "share", ""],
    bars.map(({ name, share, beside = "" }) => [name, formatPercent(share), beside]),
  );

const levelsHtml = ({ title, columns, levels }: PageLevels): Markup =>
  htmlTable(
    title,
    columns.map((header, column) => ({ header, right: column === 2 })),
    levels.flatMap(({ name, text, items }) => [
      ...items.map(([item, amount]) => ({ cells: [name, item, amount] })),
      { cells: [name, "in all", text] },
    ]),
  );
