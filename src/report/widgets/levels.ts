import { oneLine } from "../../core/printable.ts";
import { formatPercent } from "../../core/units.ts";
import { areaSigns, legendItem, legendLines, signAt } from "./legend.ts";
import type { Palette } from "./palette.ts";
import { cellCount, fitLine } from "./styled-text.ts";

/** What fills a memory, or any other total: its parts in the order in which they stand. */
export interface Levels {
  readonly parts: readonly { readonly name: string; readonly amount: number }[];
  /** Of all parts and what they leave. */
  readonly total: number;
  readonly format: (amount: number) => string;
}

/** Parts of a total that differ from it by less are all of it. */
const tolerance = 1e-9;

/** A bar of all parts, each a cell at least where there are enough, and below it their names, amounts and shares of the total. */
export function stackedBar({ parts, total, format }: Levels, width: number, palette: Palette): string[] {
  const room = cellCount(width);
  if (room === 0) return [];
  const amounts = parts.map(({ amount }) => (amount > 0 && Number.isFinite(amount) ? amount : 0));
  const used = amounts.reduce((sum, amount) => sum + amount, 0);
  const whole = total > 0 && Number.isFinite(total) ? total : used;
  if (!(whole > 0) || !Number.isFinite(used)) return [fitLine("nothing to show", room).trimEnd()];
  const left = whole - used;
  const over = -left > whole * tolerance;
  const free = left > whole * tolerance;
  const signs = areaSigns(palette.glyphs);
  const freeSign = palette.glyphs.braille ? "·" : ".";
  const cells = cellsOf(free ? [...amounts, left] : amounts, room);
  const bar = amounts.map((_, i) => palette.series(i, signAt(signs, i).repeat(cells[i] ?? 0)));
  const share = (amount: number) => `${oneLine(format(amount))} (${formatPercent(amount / whole)})`;
  const items = parts.map(({ name, amount }, i) => {
    const text = Number.isFinite(amount) ? share(amount) : "n/a";
    return legendItem(i, signAt(signs, i), `${oneLine(name)} ${text}`, palette);
  });
  if (free) items.push(`${palette.dim(freeSign)} rest ${share(left)}`);
  if (over) items.push(palette.bad(`${palette.glyphs.bad} over ${oneLine(format(whole))} by ${share(-left)}`));
  const rest = free ? palette.dim(freeSign.repeat(cells[amounts.length] ?? 0)) : "";
  return [bar.join("") + rest, ...legendLines(items, room, palette)];
}

/** So many cells for each amount, `room` in all: rounded at the boundaries, and one at least for an amount above 0 where others can spare it. */
function cellsOf(amounts: readonly number[], room: number): number[] {
  const sum = amounts.reduce((all, amount) => all + amount, 0);
  let before = 0;
  const cells = amounts.map((amount) => {
    const from = Math.round((before / sum) * room);
    before += amount;
    return Math.round((before / sum) * room) - from;
  });
  for (const [i, amount] of amounts.entries()) {
    if (amount === 0 || cells[i] !== 0) continue;
    const largest = cells.reduce((most, count, at) => (count > (cells[most] ?? 0) ? at : most), 0);
    if ((cells[largest] ?? 0) < 2) break;
    cells[largest]! -= 1;
    cells[i] = 1;
  }
  return cells;
}
