import { formatPercent } from "../core/units.ts";
import { markdownTable, markdownText } from "./markdown-text.ts";
import {
  cellsOf,
  headlineSeparator,
  type Page,
  type PageBars,
  type PageLevels,
  type PageLine,
  type PageSection,
  type PageTable,
  type PageText,
  shownIn,
} from "./page.ts";
import { plotText } from "./plot-text.ts";
import { scatterText } from "./scatter-text.ts";

/** A page as Markdown: headline, tables, plots as text; what is of less interest is folded away. */
export const markdownPage = (page: Page): string =>
  [...markdownHead(page), ...shownIn(page.sections, "markdown").flatMap(sectionLines)].join("\n");

/** Its first lines: what it is about, and how it came out. */
export const markdownHead = ({ title, headline, subtitle, notes = [] }: Page): string[] => [
  `### ${markdownText(title)}: ${markdownText(headline.join(headlineSeparator))}`,
  "",
  ...paragraphs(subtitle),
  ...paragraphs(notes),
];

const paragraphs = (lines: readonly PageLine[]): string[] =>
  shownIn(lines, "markdown").flatMap(({ text }) => [markdownText(text), ""]);

function sectionLines(section: PageSection): string[] {
  switch (section.kind) {
    case "table":
      return tableLines(section);
    case "bars":
      return titled(section, barTable(section));
    case "levels":
      return folded(section.title, [...levelTable(section), ...paragraphs(section.after ?? [])]);
    case "text":
      return textLines(section);
    case "plot":
      return titled(section, ["```text", ...plotText(section.plot), "```", ""]);
    case "scatter":
      return titled(section, ["```text", ...scatterText(section.plot), "```", ""]);
  }
}

const titled = (
  { title, note }: { readonly title: string; readonly note?: string },
  lines: readonly string[],
): string[] => [
  `#### ${markdownText(title)}`,
  "",
  ...(note === undefined ? [] : [`${markdownText(note)}.`, ""]),
  ...lines,
];

const folded = (title: string, lines: readonly string[]): string[] => [
  `<details><summary>${markdownText(title)}</summary>`,
  "",
  ...lines,
  "</details>",
  "",
];

function tableLines(section: PageTable): string[] {
  const { before = [], after = [], quiet, titleOnly } = section;
  const rows = shownIn(section.rows, "markdown");
  const columns = shownIn(section.columns, "markdown");
  const kept = section.columns.flatMap((column, i) => (columns.includes(column) ? [i] : []));
  const table = markdownTable(
    columns.map(({ header, headerAlone = header }) => headerAlone),
    rows.map((row) => kept.map((i) => cellsOf(row)[i] ?? "")),
  );
  const lines = [...paragraphs(before), ...(rows.length === 0 ? [] : table), ...paragraphs(after)];
  if (lines.length === 0) return [];
  if (quiet === true || section.folded === true) return folded(section.title, lines);
  return titleOnly === "terminal" ? lines : titled(section, lines);
}

const barTable = ({ bars }: PageBars): string[] =>
  markdownTable(
    ["", "share", ""],
    bars.map(({ name, share, beside = "" }) => [name, formatPercent(share), beside]),
  );

const levelTable = ({ columns, levels }: PageLevels): string[] =>
  markdownTable(
    columns,
    levels.flatMap(({ name, text, items }) => [
      ...items.map(([item, amount]) => [name, item, amount]),
      [name, "in all", text],
    ]),
  );

const textLines = ({ line, items = [] }: PageText): string[] => [
  markdownText(line.text),
  ...items.map((item) => `- ${markdownText(item)}`),
  "",
];
