import { formatNumber, formatPercent } from "../core/units.ts";
import type { MetricUnit } from "../metrics/metric.ts";
import { withUnit } from "./baseline-labels.ts";

/** A metric before and after, in its unit, and the half-width of the interval of the difference; null where it is not known. */
export interface ShownChange {
  readonly unit: MetricUnit;
  readonly before: number | null;
  readonly after: number | null;
  readonly halfWidth: number | null;
}

/** A change in words, and the half-width of its interval in the same terms; empty where there is nothing to say. */
export interface ChangeText {
  readonly change: string;
  readonly halfWidth: string;
}

/** More than so many times before is said in times. */
const timesFrom = 10;

/** Of shares in percentage points, of others as a share of before, or in times; from zero in the unit. */
export function changeText({ unit, before, after, halfWidth }: ShownChange): ChangeText {
  if (before === null || after === null || before === after) return { change: "", halfWidth: "" };
  const signed = (value: number, text: string) => `${value > 0 ? "+" : ""}${text}`;
  const said = (size: number, text: (value: number) => string, scale: number): ChangeText => ({
    change: signed(size, text(size)),
    halfWidth: halfWidth === null ? "" : text(halfWidth * scale),
  });
  if (unit === "share") return said((after - before) * 100, pointsText, 100);
  if (before === 0) return said(after, withUnit[unit], 1);
  // An interval in percent beside it would be of another size, and read as if it were of the times.
  if (after / before > timesFrom) return { change: `x ${formatNumber(after / before)}`, halfWidth: "" };
  return said(after / before - 1, (share) => formatPercent(share), 1 / Math.abs(before));
}

/** Percentage points: the difference of two percentages. */
const pointsText = (points: number): string => `${points.toFixed(1)} points`;
