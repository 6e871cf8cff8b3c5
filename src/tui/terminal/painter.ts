/** Keeps what was drawn from being shown half; terminals that do not know it ignore it. */
const beginFrame = "\u001b[?2026h";
const endFrame = "\u001b[0m\u001b[?2026l";

/** To the beginning of a line, which is emptied first: after its last column was written, a terminal would erase that. */
const emptyLine = (row: number): string => `\u001b[${row + 1};1H\u001b[0m\u001b[K`;

/**
 * What to write so that a screen that shows `before` shows `after`: the lines that differ alone. "" where none does. null: nothing
 * is known of what the screen shows.
 */
export function changes(before: readonly string[] | null, after: readonly string[]): string {
  const lines: string[] = [];
  for (const [row, line] of after.entries()) {
    if (before !== null && (before[row] ?? "") === line) continue;
    lines.push(emptyLine(row) + line);
  }
  const past = before === null ? after.length : Math.max(after.length, before.length);
  for (let row = after.length; row < past; row++) lines.push(emptyLine(row));
  if (before === null) return `${beginFrame}\u001b[0m\u001b[2J${lines.join("")}${endFrame}`;
  return lines.length === 0 ? "" : beginFrame + lines.join("") + endFrame;
}
