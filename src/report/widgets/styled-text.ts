import { displayWidth } from "../display-width.ts";

/** Cells of a terminal that a widget may fill. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** What a colour says. Widgets put a sign beside `good`, `bad` and `warn`. */
export type Tone = "good" | "bad" | "warn" | "accent" | "dim";

// biome-ignore lint/suspicious/noControlCharactersInRegex: the escape character begins the marks of a palette
const marks = /\u001b\[[\d;]*m/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: as above
const markOrText = /\u001b\[[\d;]*m|[^\u001b]+/g;
const ascii = /^[ -~]*$/;

/** More cells than a terminal has: what a size beyond it, such as infinity, counts as. */
const cellsMax = 10_000;

/** A number of cells: whole, 0 for what is none. */
export const cellCount = (cells: number): number =>
  Number.isNaN(cells) ? 0 : Math.max(0, Math.min(cellsMax, Math.floor(cells)));

/** Cells that a line takes, its SGR codes not counted. */
export function styledWidth(line: string): number {
  const text = line.includes("\u001b") ? line.replace(marks, "") : line;
  return ascii.test(text) ? text.length : displayWidth(text);
}

/** Exactly `width` cells: padded behind, or cut with the ellipsis at its end and every open mark closed. */
export function fitLine(line: string, width: number, ellipsis = ""): string {
  const room = cellCount(width);
  const gap = room - styledWidth(line);
  return gap >= 0 ? line + " ".repeat(gap) : cut(line, room, ellipsis);
}

/** The same with the padding in front. */
export function fitRight(line: string, width: number, ellipsis = ""): string {
  const room = cellCount(width);
  const gap = room - styledWidth(line);
  return gap >= 0 ? " ".repeat(gap) + line : cut(line, room, ellipsis);
}

/** The first `height` lines, those cut that are wider than `width`. */
export function clip(lines: readonly string[], { width, height }: Size): string[] {
  const room = cellCount(width);
  if (room === 0) return [];
  return lines.slice(0, cellCount(height)).map((line) => (styledWidth(line) > room ? cut(line, room, "") : line));
}

/** Two blocks of lines side by side: the left one fitted to `leftWidth` cells, the right one behind `gap` cells. */
export function beside(left: readonly string[], right: readonly string[], leftWidth: number, gap: number): string[] {
  const space = " ".repeat(cellCount(gap));
  return Array.from({ length: Math.max(left.length, right.length) }, (_, i) => {
    const second = right[i] ?? "";
    return second === "" ? fitLine(left[i] ?? "", leftWidth) : fitLine(left[i] ?? "", leftWidth) + space + second;
  });
}

/** The part of a line that fills exactly `room` cells with the ellipsis; a wide character that would stand across the end is a space. */
function cut(line: string, room: number, ellipsis: string): string {
  if (room === 0) return "";
  const end = styledWidth(ellipsis) <= room ? ellipsis : "";
  const most = room - styledWidth(end);
  const open = new Set<string>();
  let kept = "";
  let cells = 0;
  for (const [part] of line.matchAll(markOrText)) {
    if (part.startsWith("\u001b")) {
      kept += part;
      follow(open, part.slice(2, -1));
      continue;
    }
    for (const char of part) {
      const taken = char >= " " && char <= "~" ? 1 : displayWidth(char);
      if (cells + taken > most) {
        const text = kept.endsWith("\u200d") ? kept.slice(0, -1) : kept;
        return `${text}${" ".repeat(most - cells)}${end}${open.size > 0 ? `\u001b[${[...open].join(";")}m` : ""}`;
      }
      kept += char;
      cells += taken;
    }
  }
  return kept;
}

/** Keeps the codes that close what is open: weight 22, slant 23, underline 24, inverse 27, ink 39, ground 49. */
function follow(open: Set<string>, codes: string): void {
  const list = codes.split(";").map(Number);
  for (let i = 0; i < list.length; i += 1) {
    const code = list[i] ?? 0;
    const close = closeOf(code);
    if (code === 0) open.clear();
    else if (close === code) open.delete(String(code));
    else if (close !== null) open.add(String(close));
    // A colour of the cube or of three components is followed by these.
    if (code === 38 || code === 48) i += list[i + 1] === 5 ? 2 : 4;
  }
}

function closeOf(code: number): number | null {
  if (code === 1 || code === 2 || code === 22) return 22;
  if (code === 3 || code === 4 || code === 7) return code + 20;
  if (code === 23 || code === 24 || code === 27) return code;
  if ((code >= 30 && code <= 39) || (code >= 90 && code <= 97)) return 39;
  if ((code >= 40 && code <= 49) || (code >= 100 && code <= 107)) return 49;
  return null;
}
