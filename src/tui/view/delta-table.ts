import { formatPercent } from "../../core/units.ts";
import type { BaselineDelta } from "../../forecast/forecast.ts";
import { comparedValue } from "../../report/baseline-labels.ts";
import type { ScrollTable } from "../../report/widgets/scroll-table.ts";
import type { Tone } from "../../report/widgets/styled-text.ts";

/** How a difference stands: beyond its interval or not, or nothing to tell by. */
export type DeltaStand = "same" | "chance" | "better" | "worse" | "gone";

export function standOf({ worseBy, halfWidth }: BaselineDelta): DeltaStand {
  if (worseBy === null) return "gone";
  if (worseBy === 0) return "same";
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

/** Metrics of two results: before, now, the change with its sign, and the half-width of its interval, as shares of before. */
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
  const { metric, before, after, halfWidth } = delta;
  const share = before === 0 || after === null ? null : after / before - 1;
  return [
    standOf(delta),
    metric,
    comparedValue(delta, before),
    comparedValue(delta, after),
    share === null ? "" : `${share > 0 ? "+" : ""}${formatPercent(share)}`,
    halfWidth === null || before === 0 ? "" : formatPercent(halfWidth / Math.abs(before)),
  ];
}
