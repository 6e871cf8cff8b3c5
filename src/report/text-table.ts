import { printable } from "../core/errors.ts";

/** Marks up text for a terminal; the plain style returns it unchanged. */
export interface TextStyle {
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly good: (text: string) => string;
  readonly bad: (text: string) => string;
  readonly warn: (text: string) => string;
}

const unchanged = (text: string) => text;
export const plainStyle: TextStyle = {
  bold: unchanged,
  dim: unchanged,
  good: unchanged,
  bad: unchanged,
  warn: unchanged,
};

export type Align = "left" | "right";

/** Columns padded to their widest cell, two spaces apart; cells are stripped of control characters. */
export function textTable(rows: readonly (readonly string[])[], align: readonly Align[] = [], indent = "  "): string[] {
  const clean = rows.map((row) => row.map((cell) => printable(cell).replaceAll("\n", " ")));
  const widths: number[] = [];
  for (const row of clean)
    for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, [...cell].length);
  return clean.map((row) => {
    const cells = row.map((cell, i) => {
      const gap = " ".repeat((widths[i] ?? 0) - [...cell].length);
      return align[i] === "right" ? gap + cell : cell + gap;
    });
    return (indent + cells.join("  ")).trimEnd();
  });
}

/** A share as a bar of `width` cells; always at least a sliver for a share above zero. */
export function bar(share: number, width = 20): string {
  const filled = Math.min(width, Math.max(share > 0 ? 1 : 0, Math.round(share * width)));
  return "#".repeat(filled) + ".".repeat(width - filled);
}

/** Splits text at spaces into lines of at most `width` characters. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of printable(text).split(/\s+/)) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = "";
    }
    line += (line === "" ? "" : " ") + word;
  }
  if (line !== "") lines.push(line);
  return lines;
}
