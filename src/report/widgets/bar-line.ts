import { oneLine } from "../../core/printable.ts";
import { formatPercent } from "../../core/units.ts";
import type { Palette } from "./palette.ts";
import { cellCount, fitLine, fitRight, styledWidth, type Tone } from "./styled-text.ts";

/** A share as a bar with its name before it, and its percentage and a text behind. */
export interface BarRow {
  readonly label: string;
  /** Of 1. What is not finite has no bar. */
  readonly share: number;
  readonly text: string;
  readonly tone?: Tone | undefined;
}

/** Cells of a line of bars; rows with the same three numbers stand in the same columns. */
export interface BarWidths {
  readonly width: number;
  /** Of the widest label. */
  readonly labelWidth: number;
  /** Of the widest text. */
  readonly textWidth: number;
}

const percentWidth = 6;
const gap = 2;
const space = " ".repeat(gap);
/** A shorter bar gives way to the text, then the label. */
const barMin = 6;
const labelMin = 4;

/**
 * One line: `label  ███▌      41.2%  12 of 29`, the sign of a tone behind the bar. In narrow lines the text goes first,
 * then a part of the label, then the bar.
 */
export function barLine({ label, share, text, tone }: BarRow, widths: BarWidths, palette: Palette): string {
  const width = cellCount(widths.width);
  const { ellipsis } = palette.glyphs;
  const cells = barCells({ ...widths, width });
  const before = cells.label > 0 ? fitLine(oneLine(label), cells.label, ellipsis) + (cells.bar > 0 ? space : "") : "";
  const drawn = (cells.bar > 0 ? filledBar(share, cells.bar, palette) : "") + fitLine(toneSign(tone, palette), gap);
  const painted = tone === undefined ? drawn : palette[tone](drawn);
  const line = before + painted + fitRight(percentText(share), percentWidth);
  const behind = cells.text > 0 ? (space + oneLine(text)).trimEnd() : "";
  return fitLine(line + behind, Math.min(width, styledWidth(line + behind)), ellipsis);
}

/** Several bars in the same columns. */
export function bars(rows: readonly BarRow[], width: number, palette: Palette): string[] {
  const room = cellCount(width);
  if (room === 0) return [];
  if (rows.length === 0) return [fitLine("no bars", room).trimEnd()];
  const widest = (text: (row: BarRow) => string) =>
    rows.reduce((most, row) => Math.max(most, styledWidth(oneLine(text(row)))), 0);
  const widths = { width: room, labelWidth: widest((row) => row.label), textWidth: widest((row) => row.text) };
  return rows.map((row) => barLine(row, widths, palette));
}

/** A bar of exactly `cells` cells: a sliver at least for a share above 0, and full from 1 on. */
export function filledBar(share: number, cells: number, palette: Palette): string {
  const { widths } = palette.glyphs;
  const parts = widths.length - 1;
  const most = parts * cells;
  const filled = share >= 1 ? most : share > 0 ? Math.max(1, Math.min(most - 1, Math.round(share * most))) : 0;
  const whole = Math.floor(filled / parts);
  if (whole === cells) return (widths[parts] ?? "").repeat(cells);
  return (widths[parts] ?? "").repeat(whole) + (widths[filled % parts] ?? "") + " ".repeat(cells - whole - 1);
}

/** The sign that says what a tone says where there is no colour. */
export function toneSign(tone: Tone | undefined, palette: Palette): string {
  return tone === "good" || tone === "bad" || tone === "warn" ? palette.glyphs[tone] : "";
}

/** At most six cells, whatever the share. */
function percentText(share: number): string {
  if (!(share < 99.995)) return Number.isNaN(share) || share === Number.POSITIVE_INFINITY ? "n/a" : ">9999%";
  if (share <= -9.9995) return Number.isFinite(share) ? "<-999%" : "n/a";
  return formatPercent(share, share >= 9.9995 || share <= -0.9995 ? 0 : 1);
}

/** The first layout that leaves a bar of `barMin` cells. */
function barCells({ width, labelWidth, textWidth }: BarWidths): { label: number; bar: number; text: number } {
  const [label, text] = [cellCount(labelWidth), cellCount(textWidth)];
  const half = Math.min(label, Math.max(labelMin, Math.floor(width / 3)));
  const layouts = [
    [label, text],
    [half, text],
    [label, 0],
    [half, 0],
    [Math.min(label, labelMin), 0],
  ] as const;
  for (const [labelCells, textCells] of layouts) {
    const before = labelCells > 0 ? labelCells + gap : 0;
    const bar = width - before - gap - percentWidth - (textCells > 0 ? gap + textCells : 0);
    if (bar >= barMin) return { label: labelCells, bar, text: textCells };
  }
  return { label: Math.max(0, Math.min(label, width - gap - percentWidth)), bar: 0, text: 0 };
}
