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
  /** Most lines of a wrapped last column; what is cut ends with an ellipsis. Unlimited by default. */
  readonly linesMax?: number;
}

/** A last column narrower than this is written below its row instead of beside it. */
const lastColumnMin = 28;

/** The lines of each row: columns padded to their widest cell, two spaces apart, cells made safe for a terminal. */
export function tableRows(rows: readonly (readonly string[])[], layout: TableLayout = {}): string[][] {
  const { align = [], indent = "  ", width = Number.POSITIVE_INFINITY, linesMax = Number.POSITIVE_INFINITY } = layout;
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
    const left = beside ? before : indent.length + 4;
    const room = Math.max(lastColumnMin, width - left);
    const parts = cutTo(wrap(row.at(-1) ?? "", room), linesMax, room);
    const rest = beside ? parts.slice(1) : parts;
    return [(beside ? `${head}  ${parts[0] ?? ""}` : head).trimEnd(), ...rest.map((part) => " ".repeat(left) + part)];
  });
}

/** The first lines of a text, the last of them with an ellipsis where some are left out. */
function cutTo(lines: readonly string[], most: number, width: number): readonly string[] {
  if (lines.length <= most) return lines;
  const kept = lines.slice(0, most);
  const [last = ""] = wrap(kept.at(-1) ?? "", width - 4);
  return [...kept.slice(0, -1), `${last} ...`];
}

/** The same as one list of lines. */
export const textTable = (rows: readonly (readonly string[])[], layout: TableLayout = {}): string[] =>
  tableRows(rows, layout).flat();

/** A share as a bar of `width` cells; always at least a sliver for a share above zero. */
export function bar(share: number, width = 20): string {
  const filled = Math.min(width, Math.max(share > 0 ? 1 : 0, Math.round(share * width)));
  return "#".repeat(filled) + ".".repeat(width - filled);
}

/** Splits text at spaces into lines of at most `width` cells; a word that is longer than a line is broken. */
export function wrap(text: string, width: number): string[] {
  return fill(
    oneLine(text)
      .split(" ")
      .flatMap((word) => pieces(word, width)),
    " ",
    width,
  );
}

/** The same with the lines after the first indented, so that none of them looks like a line of its own. */
export const wrapHanging = (text: string, width: number, indent = ""): string[] =>
  hanging(wrap(text, width - indent.length - 2), indent);

/** The same for items between separators, which stay whole where a line can hold them. */
export function wrapItems(items: readonly string[], separator: string, width: number): string[] {
  const room = width - 2 - separator.length;
  const parts = items.flatMap((item) => (displayWidth(item) <= room ? [oneLine(item)] : wrap(item, room)));
  return hanging(
    fill(parts, separator, width - 2 - separator.trimEnd().length).map((line, i, lines) =>
      i < lines.length - 1 ? line + separator.trimEnd() : line,
    ),
  );
}

const hanging = (lines: readonly string[], indent = "") =>
  lines.map((line, i) => (i === 0 ? indent : `${indent}  `) + line);

/** Parts joined into as few lines as hold them. */
function fill(parts: readonly string[], separator: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  let cells = 0;
  const separatorCells = displayWidth(separator);
  for (const part of parts) {
    const partCells = displayWidth(part);
    if (line !== "" && cells + separatorCells + partCells > width) {
      lines.push(line);
      line = "";
      cells = 0;
    }
    cells += (line === "" ? 0 : separatorCells) + partCells;
    line += (line === "" ? "" : separator) + part;
  }
  if (line !== "") lines.push(line);
  return lines;
}

/** A word in pieces that fit into a line, broken behind punctuation where there is any in the second half of a piece. */
function pieces(word: string, width: number): string[] {
  if (displayWidth(word) <= width) return [word];
  const found: string[] = [];
  let piece: string[] = [];
  let cells = 0;
  for (const char of word) {
    const taken = displayWidth(char);
    if (cells + taken > width && piece.length > 0) {
      const after = piece.findLastIndex((kept) => /[,;:/\\\-_.=]/.test(kept)) + 1;
      const cut = after > piece.length / 2 ? after : piece.length;
      found.push(piece.slice(0, cut).join(""));
      piece = piece.slice(cut);
      cells = displayWidth(piece.join(""));
    }
    piece.push(char);
    cells += taken;
  }
  return [...found, piece.join("")];
}
