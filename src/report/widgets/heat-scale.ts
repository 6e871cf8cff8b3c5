import type { Palette } from "./palette.ts";

/** How values are shown as levels, from 0 on. */
export interface HeatScale {
  readonly low: number;
  readonly high: number;
  /** The level of a value, -1 of one that is not finite. */
  levelOf(value: number): number;
  /** The code that begins the colour of each level, and the one that ends every colour; empty without colours. */
  readonly open: readonly string[];
  readonly close: string;
  /** The text of each level in a cell of so many characters. */
  cells(width: number): readonly string[];
  /** A sign in such a cell. */
  cell(sign: string, width: number): string;
  /** All levels, a cell each. */
  readonly ramp: string;
}

const digits = Array.from("0123456789");

/**
 * Levels of values. With colours, or in ASCII, a level is a digit, so that no colour stands alone; else a height.
 * Null where no value is finite.
 */
export function heatScale(
  values: ArrayLike<number>,
  range: readonly [number, number] | undefined,
  palette: Palette,
): HeatScale | null {
  const found = finiteRange(values);
  if (found === null) return null;
  const [low, high] = range?.every(Number.isFinite) && range[0] <= range[1] ? range : found;
  const heights = palette.depth === "none" && palette.glyphs.braille;
  const signs = heights ? palette.glyphs.heights.slice(1) : digits;
  const last = signs.length - 1;
  const codes = signs.map((_, level) => palette.heat(level / last, "x").split("x"));
  const cell = (sign: string, width: number) =>
    heights && width > 1
      ? `${sign.repeat(width - 1)} `
      : " ".repeat(Math.floor(width / 2)) + sign + " ".repeat(Math.ceil(width / 2) - 1);
  const byWidth = new Map<number, readonly string[]>();
  return {
    low,
    high,
    levelOf: (value) => {
      if (!Number.isFinite(value)) return -1;
      if (value <= low) return 0;
      const share = Number.isFinite(high - low)
        ? (value - low) / (high - low)
        : (value / 2 - low / 2) / (high / 2 - low / 2);
      return Math.min(last, Math.floor(share * signs.length));
    },
    open: codes.map(([open = ""]) => open),
    close: codes[0]?.[1] ?? "",
    cells: (width) => {
      const known = byWidth.get(width) ?? signs.map((sign) => cell(sign, width));
      byWidth.set(width, known);
      return known;
    },
    cell,
    ramp: signs.map((sign, level) => palette.heat(level / last, sign)).join(""),
  };
}

function finiteRange(values: ArrayLike<number>): [number, number] | null {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = 0; i < values.length; i += 1) {
    const value = values[i]!;
    if (!Number.isFinite(value)) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return low > high ? null : [low, high];
}
