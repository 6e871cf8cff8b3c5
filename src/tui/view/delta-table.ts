import { formatNumber, formatPercent } from "../../core/units.ts";
import type { BaselineDelta } from "../../forecast/forecast.ts";
import { comparedValue } from "../../report/baseline-labels.ts";
import type { ScrollTable } from "../../report/widgets/scroll-table.ts";
import type { Tone } from "../../report/widgets/styled-text.ts";

/** How a difference stands: beyond its interval or not, or nothing to tell by. */
export type DeltaStand = "same" | "chance" | "better" | "worse" | "gone";

/** A change of less than this share of before is none where no interval says otherwise: its figures read alike. */
const sameBelow = 0.005;

export function standOf({ before, worseBy, halfWidth }: BaselineDelta): DeltaStand {
  if (worseBy === null) return "gone";
  if (worseBy === 0) return "same";
  if (halfWidth === null && Math.abs(worseBy) < sameBelow * Math.abs(before)) return "same";
  if (halfWidth !== null && Math.abs(worseBy) <= halfWidth) return "chance";
  return worseBy > 0 ? "worse" : "better";
}

const tones: Readonly<Record<DeltaStand, Tone>> = {
  same: "dim",
  chance: "dim",
  better: "good",
  worse: "bad",
  gone: "bad",
};

/** Metrics of two results: before, now, the change with its sign, and the half-width of its interval, in the same terms. */
export const deltaTable = (deltas: readonly BaselineDelta[]): ScrollTable => ({
  columns: [
    { header: "" },
    { header: "metric", min: 16 },
    { header: "before", align: "right", dispensable: 2 },
    { header: "now", align: "right", dispensable: 1 },
    { header: "change", align: "right" },
    { header: "+-", align: "right" },
  ],
  rows: deltas.length,
  cell: (row, column) => cells(deltas[row]!)[column] ?? "",
  tone: (row) => tones[standOf(deltas[row]!)],
});

function cells(delta: BaselineDelta): string[] {
  const { metric, before, after } = delta;
  return [
    standOf(delta),
    metric,
    comparedValue(delta, before),
    comparedValue(delta, after),
    ...(after === null ? [] : changeOf(delta, after)),
  ];
}

/** More than so many times before is said in times. */
const timesFrom = 10;

/** The change and the half-width of its interval: of shares in points, of others as shares of before, or in times. */
function changeOf({ unit, before, halfWidth, worseBy }: BaselineDelta, after: number): string[] {
  // "same" says it, and leaves the room to the figures.
  if (worseBy === 0) return [];
  const signed = (value: number, text: string) => `${value > 0 ? "+" : ""}${text}`;
  if (unit === "share") {
    const points = (after - before) * 100;
    return [signed(points, pointsText(points)), halfWidth === null ? "" : pointsText(halfWidth * 100)];
  }
  if (before === 0) return [];
  // An interval in percent beside it would be of another size, and read as if it were of the times.
  if (after / before > timesFrom) return [`x ${formatNumber(after / before)}`];
  const share = after / before - 1;
  return [signed(share, formatPercent(share)), halfWidth === null ? "" : formatPercent(halfWidth / Math.abs(before))];
}

/** Percentage points: the difference of two percentages. */
const pointsText = (points: number): string => `${points.toFixed(1)} points`;
