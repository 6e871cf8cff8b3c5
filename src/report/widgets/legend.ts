import type { Glyphs, Palette } from "./palette.ts";
import { fitLine, styledWidth } from "./styled-text.ts";

const gap = "  ";

/** Signs that tell lines of a plot apart. */
export const lineSigns = (glyphs: Glyphs): readonly string[] =>
  glyphs.braille ? ["●", "▲", "■", "◆", "○", "△"] : ["*", "o", "+", "x", "#", "@"];

/** Signs that fill areas. */
export const areaSigns = (glyphs: Glyphs): readonly string[] =>
  glyphs.braille ? ["█", "▒", "▓", "░", "▄", "▚"] : ["#", "=", "+", "-", "o", "x"];

/** The sign of the nth of some, begun anew after the last. */
export const signAt = (signs: readonly string[], index: number): string => signs[index % signs.length] ?? " ";

/** A sign in the colour of the nth of some, and its name. */
export const legendItem = (index: number, sign: string, name: string, palette: Palette): string =>
  `${palette.series(index, sign)} ${name}`;

/** The items on one line; those that do not fit are left out, and an ellipsis says so. */
export function legendLine(items: readonly string[], width: number, palette: Palette): string {
  const { ellipsis } = palette.glyphs;
  const more = gap + ellipsis;
  let line = "";
  for (const [i, item] of items.entries()) {
    const next = line === "" ? item : line + gap + item;
    const room = i === items.length - 1 ? width : width - styledWidth(more);
    if (styledWidth(next) > room) return fitLine(line === "" ? item : line + more, width, ellipsis).trimEnd();
    line = next;
  }
  return line;
}

/** The items on as many lines as they need. */
export function legendLines(items: readonly string[], width: number, palette: Palette): string[] {
  const lines: string[] = [];
  let line = "";
  for (const item of items) {
    const next = line === "" ? item : line + gap + item;
    if (line !== "" && styledWidth(next) > width) {
      lines.push(line);
      line = item;
    } else line = next;
  }
  if (line !== "") lines.push(line);
  return lines.map((text) => (styledWidth(text) > width ? fitLine(text, width, palette.glyphs.ellipsis) : text));
}

/** The items at the left of a line, and what x is at its right where both fit. */
export function labelledLegend(items: readonly string[], xLabel: string, width: number, palette: Palette): string {
  const legend = legendLine(items, width, palette);
  const gap = width - styledWidth(legend) - styledWidth(xLabel);
  return xLabel !== "" && gap >= 2 ? legend + " ".repeat(gap) + palette.dim(xLabel) : legend;
}
