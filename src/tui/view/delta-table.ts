import { type ChangeVerdict, verdictOfChange } from "../../forecast/compare/change-verdict.ts";
import type { BaselineDelta } from "../../forecast/forecast.ts";
import { comparedValue } from "../../report/baseline-labels.ts";
import { changeText } from "../../report/change-text.ts";
import type { ScrollTable } from "../../report/widgets/scroll-table.ts";
import type { Tone } from "../../report/widgets/styled-text.ts";

const tones: Readonly<Record<ChangeVerdict, Tone>> = {
  same: "dim",
  noise: "dim",
  unknown: "warn",
  better: "good",
  worse: "bad",
  missing: "bad",
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
  tone: (row) => tones[verdictOfChange(deltas[row]!)],
});

function cells(delta: BaselineDelta): string[] {
  const { change, halfWidth } = changeText(delta);
  return [
    verdictOfChange(delta),
    delta.metric,
    comparedValue(delta, delta.before),
    comparedValue(delta, delta.after),
    change,
    halfWidth,
  ];
}
