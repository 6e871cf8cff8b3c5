/** Cells of the tables of a Markdown text as a reader sees them: escapes and entities resolved. */
export function renderedCells(markdown: string): string[][] {
  return markdown
    .split("\n")
    .filter((line) => line.startsWith("| "))
    .map((line) => line.slice(2, -2).split(" | ").map(resolved));
}

/** Text with escapes and entities resolved, as it is shown. */
export function resolved(cell: string): string {
  return cell
    .trim()
    .replace(/\\([!-/:-@[-`{-~])/g, "$1")
    .replace(/&#(\d+);/g, (_all, code) => String.fromCharCode(Number(code)))
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&amp;", "&");
}
