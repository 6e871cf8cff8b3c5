import { oneLine } from "../core/printable.ts";
import { formatPercent } from "../core/units.ts";
import { displayWidth } from "./display-width.ts";
import { fittedTable } from "./fitted-table.ts";
import {
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
import { bar, plainStyle, type TextStyle, textTable, wrap, wrapHanging, wrapItems } from "./text-table.ts";

/** Lines are at most this wide where nothing says how wide the terminal is. */
const defaultWidth = 112;

interface View {
  readonly style: TextStyle;
  /** Cells in a line. */
  readonly width: number;
}

/** A page as text for a terminal of `width` cells. */
export function terminalPage(page: Page, style: TextStyle = plainStyle, width: number = defaultWidth): string {
  const view = { style, width };
  return `${[headLines(page, view), ...shownIn(page.sections, "terminal").map((section) => sectionLines(section, view))]
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n")}\n`;
}

function headLines(page: Page, view: View): string[] {
  const { style, width } = view;
  const { title, aside, headline, tone, notes = [] } = page;
  const wrapped =
    headline.length > 1
      ? wrapItems(headline, headlineSeparator, width)
      : headline.flatMap((part) => wrapHanging(part, width));
  return [
    style.bold(oneLine(title)) + (aside === undefined ? "" : style.dim(`  ${oneLine(aside)}`)),
    ...textLines(page.subtitle, view),
    "",
    ...wrapped.map((line) => (tone === undefined ? style.bold(line) : style[tone](style.bold(line)))),
    ...textLines(notes, view),
  ];
}

/** Lines of text, each wrapped with what does not fit hanging below it. */
const textLines = (lines: readonly PageLine[], { style, width }: View, indent = ""): string[] =>
  shownIn(lines, "terminal").flatMap(({ text, tone, strong, quiet }) =>
    wrapHanging(text, width, indent).map((line) => {
      const weighted = strong === true ? style.bold(line) : quiet === true ? style.dim(line) : line;
      return tone === undefined ? weighted : style[tone](weighted);
    }),
  );

/** One section as lines of at most `width` cells. */
export const terminalSection = (section: PageSection, style: TextStyle, width: number): string[] =>
  sectionLines(section, { style, width });

function sectionLines(section: PageSection, view: View): string[] {
  switch (section.kind) {
    case "table":
      return tableLines(section, view);
    case "bars":
      return barLines(section, view);
    case "levels":
      return levelLines(section, view);
    case "text":
      return paragraph(section, view);
    case "plot":
      return [...titleLines(section, view), ...plotText(section.plot, view.width)];
    case "scatter":
      return [...titleLines(section, view), ...scatterText(section.plot, view.width)];
  }
}

type Titled = Pick<PageTable, "title" | "note" | "verdict">;

function titleLines(section: Titled, { style, width }: View): string[] {
  const { verdict } = section;
  const title = oneLine(section.title);
  const note = oneLine(section.note ?? "");
  const below = (lines: readonly string[]) => lines.map((line) => style.dim(`  ${line}`));
  if (verdict !== undefined) {
    // Two spaces stand between title and sentence, of which wrapping counts one.
    const [first = "", ...rest] = wrap(`${title} ${verdict}`, width - 1);
    return [style.bold(title) + style.dim(`  ${first.slice(title.length + 1)}`), ...below(rest)];
  }
  const beside = title.length + 2 + displayWidth(note) <= width;
  return [
    style.bold(title) + (note !== "" && beside ? style.dim(`  ${note}`) : ""),
    ...(beside ? [] : below(wrap(note, width - 2))),
  ];
}

function tableLines(table: PageTable, view: View): string[] {
  const { style } = view;
  const { before = [], after = [], quiet, cut } = table;
  const whole = fittedTable(table, view.width);
  const rows = cut === undefined ? whole : fittedTable(table, view.width, cut.linesMax);
  const told = [textLines(before, view, "  "), textLines(after, view, "  ")] as const;
  if (rows.length + told[0].length + told[1].length === 0) return [];
  const count = (lines: typeof rows) => lines.reduce((sum, row) => sum + row.lines.length, 0);
  return [
    ...titleLines(table, view),
    ...told[0],
    ...rows.flatMap(({ lines, isHeader, tone }) =>
      lines.map((line) =>
        tone !== undefined ? style[tone](line) : quiet === true || isHeader ? style.dim(line) : line,
      ),
    ),
    ...(cut !== undefined && count(rows) < count(whole) ? [style.dim(`  ${cut.hint}`)] : []),
    ...told[1],
  ];
}

function barLines(section: PageBars, view: View): string[] {
  const { bars, after = [] } = section;
  if (bars.length === 0) return [];
  const rows = bars.map(({ name, share, beside }) => [
    name,
    formatPercent(share),
    bar(share),
    ...(beside === undefined ? [] : [beside]),
  ]);
  return [
    ...titleLines(section, view),
    ...textTable(rows, { align: ["left", "right", "left", "right"], width: view.width }),
    ...textLines(after, view, "  "),
  ];
}

function levelLines(section: PageLevels, view: View): string[] {
  const { levels, after = [] } = section;
  const { width } = view;
  return [
    ...titleLines(section, view),
    ...levels.flatMap(({ name, share, text, items }) => [
      ...wrapHanging(`${name} ${text} ${bar(share)} ${formatPercent(share)}`, width, "  "),
      ...textTable(items, { align: ["left", "right"], indent: "    ", width }),
    ]),
    ...textLines(after, view, "  "),
  ];
}

const paragraph = ({ line, items = [] }: PageText, view: View): string[] =>
  textLines([line, ...items.map((text) => ({ text }))], view);
