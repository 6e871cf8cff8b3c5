import { oneLine } from "../core/printable.ts";

/** Characters that could end a table cell or start HTML become entities, which Markdown never takes for markup. */
const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  "|": "&#124;",
  "\\": "&#92;",
};

/** Text that cannot end a table cell, open markup, make a link or image, or start HTML. */
export const markdownText = (text: string): string => escapedMarkdown(oneLine(text));

/** The same of text that is one printable line already. */
export const escapedMarkdown = (line: string): string =>
  line.replace(/:\/\/|[&<>|\\`*_~[\]!#]/g, (mark) => (mark === "://" ? ":\\/\\/" : (entities[mark] ?? `\\${mark}`)));

/** A table whose cells are plain text, which `inert` makes safe. */
export function markdownTable(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  inert: (text: string) => string = markdownText,
): string[] {
  const line = (cells: readonly string[]) => `| ${cells.map(inert).join(" | ")} |`;
  return [line(header), `| ${header.map(() => "---").join(" | ")} |`, ...rows.map(line), ""];
}
