import type { Palette } from "./palette.ts";
import { cellCount, fitLine, fitRight } from "./styled-text.ts";

/** What a sparkline is measured against. */
export interface SparklineScale {
  /** The value of a full cell: the largest value shown by default. */
  readonly max?: number | undefined;
}

/**
 * One line of exactly `width` cells, the newest value at its right end. More values than cells are averaged in equal
 * groups; fewer stay one cell each. A cell without a finite value is empty, and 0 is the lowest sign.
 */
export function sparkline(
  values: ArrayLike<number>,
  width: number,
  palette: Palette,
  { max }: SparklineScale = {},
): string {
  const room = cellCount(width);
  const means = groupMeans(values, Math.min(room, values.length));
  if (!means.some(Number.isFinite)) return fitLine("no values", room);
  const largest = means.reduce((most, mean) => (Number.isNaN(mean) ? most : Math.max(most, mean)), 0);
  const full = max !== undefined && max > 0 && Number.isFinite(max) ? max : largest;
  const { heights } = palette.glyphs;
  const most = heights.length - 1;
  const sign = (mean: number) => {
    if (Number.isNaN(mean)) return " ";
    const level = full > 0 ? Math.round((mean / full) * most) : 1;
    return heights[Math.max(1, Math.min(most, level))] ?? " ";
  };
  return fitRight(means.map(sign).join(""), room);
}

/** Means of the finite values of so many groups of neighbours, of sizes that differ by one at most; NaN where there are none. */
export function groupMeans(values: ArrayLike<number>, groups: number): number[] {
  return Array.from({ length: groups }, (_, group) => {
    const end = Math.floor(((group + 1) * values.length) / groups);
    let mean = 0;
    let count = 0;
    for (let i = Math.floor((group * values.length) / groups); i < end; i += 1) {
      const value = values[i]!;
      if (!Number.isFinite(value)) continue;
      count += 1;
      // Step by step, so that no sum overflows.
      mean += value / count - mean / count;
    }
    return count > 0 ? mean : Number.NaN;
  });
}
