import { markdownFolded, markdownTable, markdownText } from "./markdown.ts";
import { scatterText } from "./scatter-text.ts";
import type { PageSection, ValidationPage } from "./validation-page.ts";

/** A validation as Markdown: headline, tables, the plot as text; what is of less interest is folded away. */
export function validationMarkdown(page: ValidationPage): string {
  return [
    `### ${markdownText(page.title)}: ${markdownText(page.headline)}`,
    "",
    ...page.subtitle.flatMap((line) => [markdownText(line), ""]),
    ...page.sections.flatMap(sectionLines),
  ].join("\n");
}

function sectionLines(section: PageSection): string[] {
  const heading = `#### ${markdownText(section.title)}`;
  if (section.kind === "scatter") return [heading, "", "```text", ...scatterText(section.plot), "```", ""];
  if (section.rows.length === 0) return [];
  const table = markdownTable(
    section.columns.map(({ header }) => header),
    section.rows,
  );
  if (section.quiet === true) return markdownFolded(markdownText(section.title), table);
  return [heading, "", ...(section.note === undefined ? [] : [`${markdownText(section.note)}.`, ""]), ...table];
}
