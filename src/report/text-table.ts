import { oneLine } from "../core/printable.ts";
import { displayWidth } from "./display-width.ts";

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

/** How a table is laid out. */
export interface TableLayout {
  /** Per column; left where none is given. */
  readonly align?: readonly Align[];
  readonly indent?: string;
  /** Longest line in cells of a terminal; the last column is wrapped to keep to it. Unlimited by default. */
  readonly width?: number;
}

/** A last column narrower than this is written below its row instead of beside it. */
const lastColumnMin = 28;

/** The lines of each row: columns padded to their widest cell, two spaces apart, cells made safe for a terminal. */
export function tableRows(rows: readonly (readonly string[])[], layout: TableLayout = {}): string[][] {
  const { align = [], indent = "  ", width = Number.POSITIVE_INFINITY } = layout;
  const clean = rows.map((row) => row.map(oneLine));
  const columns = Math.max(0, ...clean.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, i) =>
    Math.max(0, ...clean.map((row) => displayWidth(row[i] ?? ""))),
  );
  const before = indent.length + widths.slice(0, -1).reduce((sum, column) => sum + column + 2, 0);
  const beside = width - before >= lastColumnMin;
  return clean.map((row) => {
    const cells = row.map((cell, i) => {
      const gap = " ".repeat(Math.max(0, (widths[i] ?? 0) - displayWidth(cell)));
      return align[i] === "right" ? gap + cell : cell + gap;
    });
    const line = (indent + cells.join("  ")).trimEnd();
    if (displayWidth(line) <= width || row.length < columns) return [line];
    const head = indent + cells.slice(0, -1).join("  ");
    const hanging = beside ? before : indent.length + 4;
    const parts = wrap(row.at(-1) ?? "", Math.max(lastColumnMin, width - hanging));
    const rest = beside ? parts.slice(1) : parts;
    return [
      (beside ? `${head}  ${parts[0] ?? ""}` : head).trimEnd(),
      ...rest.map((part) => " ".repeat(hanging) + part),
    ];
  });
}

/** The same as one list of lines. */
export const textTable = (rows: readonly (readonly string[])[], layout: TableLayout = {}): string[] =>
  tableRows(rows, layout).flat();

/** A share as a bar of `width` cells; always at least a sliver for a share above zero. */
export function bar(share: number, width = 20): string {
  const filled = Math.min(width, Math.max(share > 0 ? 1 : 0, Math.round(share * width)));
  return "#".repeat(filled) + ".".repeat(width - filled);
}

/** Splits text at spaces into lines of at most `width` cells; a longer word stands alone and whole. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of oneLine(text).split(" ")) {
    if (line !== "" && displayWidth(line) + 1 + displayWidth(word) > width) {
      lines.push(line);
      line = "";
    }
    line += (line === "" ? "" : " ") + word;
  }
  if (line !== "") lines.push(line);
  return lines;
}

/** The same with the lines after the first indented, so that none of them looks like a line of its own. */
export function wrapHanging(text: string, width: number, indent = ""): string[] {
  return wrap(text, width - indent.length - 2).map((line, i) => (i === 0 ? indent : `${indent}  `) + line);
}
