import type { BaselineDelta, Forecast } from "../forecast/forecast.ts";
import { changeLabel, comparedValue, drawsLabel, intervalLabel, limitLabel } from "./baseline-labels.ts";
import { noteFor, type PageColumn, type PageRow, type PageSection } from "./page.ts";
import type { SummaryLevel } from "./summary-level.ts";

/** Columns of the comparison; a narrow terminal does without the last ones. */
const deltaColumns: readonly (readonly [PageColumn, (delta: BaselineDelta) => string])[] = [
  [{ header: "" }, (delta) => (delta.failed ? "FAIL" : "ok")],
  [{ header: "metric", headerAlone: "against the baseline", dispensable: 6 }, (delta) => delta.metric],
  [{ header: "before", align: "right", dispensable: 5 }, (delta) => comparedValue(delta, delta.before)],
  [{ header: "now", align: "right", dispensable: 4 }, (delta) => comparedValue(delta, delta.after)],
  [{ header: "change", dispensable: 3 }, changeLabel],
  [{ header: "limit", align: "right", dispensable: 2 }, limitLabel],
  [{ header: "interval", align: "right", dispensable: 1 }, intervalLabel],
];

/**
 * What changed against an earlier forecast: regressions, then what only its interval excuses. A terminal shows every other
 * change at the full level alone and counts what is the same; Markdown has them all.
 */
export function baselineSection(forecast: Forecast, level: SummaryLevel): PageSection[] {
  const { baseline, baselineRun } = forecast;
  if (baseline === null) return [];
  const failed = baseline.filter((delta) => delta.failed);
  const changed = baseline.filter((delta) => !delta.failed && delta.worseBy !== 0);
  const excused = changed.filter(({ regression, limit }) => regression === null || regression > limit);
  const shown = [...failed, ...(level === "full" ? changed : excused)];
  const within = failed.length + changed.length - shown.length;
  const same = baseline.length - failed.length - changed.length;
  const others = [
    ...(within === 0 ? [] : [`${within} changed within their limits`]),
    ...(same === 0 ? [] : [`${same} the same to the last digit`]),
  ];
  const cells = (delta: BaselineDelta) => deltaColumns.map(([, cell]) => cell(delta));
  const overSeeds = baseline.some((delta) => delta.overSeeds === true) ? "means over seeds; " : "";
  const draws = baselineRun === null ? "" : `${overSeeds}${drawsLabel(baselineRun, forecast)}`;
  return [
    {
      kind: "table",
      title: "Against the baseline",
      titleOnly: "terminal",
      columns: deltaColumns.map(([column]) => column),
      rows: [
        ...shown.map((delta): PageRow => ({ cells: cells(delta), ...(delta.failed ? { tone: "bad" } : {}) })),
        ...baseline
          .filter((delta) => !shown.includes(delta))
          .map((delta): PageRow => ({ cells: cells(delta), only: "markdown" })),
      ],
      before: [...noteFor("terminal", draws), ...noteFor("markdown", draws === "" ? "" : `Baseline: ${draws}.`)],
      after:
        others.length === 0 ? [] : [{ text: `of ${baseline.length} metrics ${others.join(", ")}`, only: "terminal" }],
    },
  ];
}
