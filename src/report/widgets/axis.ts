import { cellCount, styledWidth } from "./styled-text.ts";

/** A label of an axis and where it belongs. */
export interface Tick {
  readonly value: number;
  readonly text: string;
}

/** The round step (1, 2 or 5 times a power of ten) that covers a span in at most `parts` steps. */
export function roundStep(span: number, parts: number): number {
  const least = span / Math.max(1, parts);
  if (!(least > 0) || !Number.isFinite(least)) return 1;
  const decade = Math.floor(Math.log10(least));
  for (const power of [decade - 1, decade, decade + 1])
    for (const digit of [1, 2, 5]) {
      const step = Number(`${digit}e${power}`);
      if (step >= least) return step;
    }
  return least;
}

const minuteNs = 60e9;
const hourNs = 3600e9;

/** The same for nanoseconds: round minutes or hours where durations are written in these. */
export function roundDurationStep(spanNs: number, parts: number): number {
  const unit = spanNs >= 120 * minuteNs ? hourNs : spanNs >= 120e9 ? minuteNs : 1;
  return roundStep(spanNs / unit, parts) * unit;
}

/** The multiples of a step from `low` to `high`, both included. */
export function ticksBetween(low: number, high: number, step: number, format: (value: number) => string): Tick[] {
  const first = Math.ceil(low / step - 1e-9);
  const count = Math.min(100, Math.floor(high / step + 1e-9) - first + 1);
  if (!Number.isFinite(first) || !(count > 0)) return [];
  return Array.from({ length: count }, (_, i) => {
    // Rounded, so that three steps of 0.1 are 0.3.
    const value = Number(((first + i) * step).toPrecision(12));
    return { value, text: format(value) };
  });
}

/** Round values from `low` to `high` in at most `parts` steps, fewer where two of them would read the same. */
export function roundTicks(
  low: number,
  high: number,
  parts: number,
  format: (value: number) => string,
  stepOf = roundStep,
): Tick[] {
  for (let count = parts; count >= 1; count -= 1) {
    const ticks = ticksBetween(low, high, stepOf(high - low, count), format);
    if (ticks.every(({ text }, i) => text !== ticks[i + 1]?.text)) return ticks;
  }
  return [];
}

/** Labels on one line of `width` cells, each at its cell or centred there; one that would touch the one before is left out. */
export function labelLine(
  labels: readonly { readonly cell: number; readonly text: string }[],
  width: number,
  align: "start" | "centre" = "centre",
): string {
  const room = cellCount(width);
  let line = "";
  let cells = 0;
  for (const { cell, text } of labels) {
    const taken = styledWidth(text);
    const wanted = align === "start" ? cell : cell - Math.floor((taken - 1) / 2);
    const start = Math.max(0, Math.min(room - taken, wanted));
    if (taken === 0 || taken > room || (cells > 0 && start <= cells)) continue;
    line += " ".repeat(start - cells) + text;
    cells = start + taken;
  }
  return line;
}

/** An axis of `width` cells with joints at some of them. */
export function axisLine(cells: readonly number[], width: number, line: string, joint: string): string {
  const at = new Set(cells);
  return Array.from({ length: cellCount(width) }, (_, i) => (at.has(i) ? joint : line)).join("");
}
