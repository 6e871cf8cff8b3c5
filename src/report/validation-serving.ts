import { formatCount } from "../core/units.ts";
import { latencies } from "../metrics/latencies.ts";
import type { PointError, PointMetric, SetupError, Validation } from "../validate/serving/validation.ts";
import type { PageSection } from "./page.ts";
import {
  counted,
  definitionsSection,
  errorCells,
  errorColumns,
  inputsSection,
  msLabel,
  percentLabel,
  pointLabel,
  quietLines,
  shortModel,
  signedLabel,
} from "./validation-labels.ts";
import type { DataCell, ValidationPage } from "./validation-page.ts";

/** Words of a validation of serving points; docs/validation.md has them too. */
const servingDefinitions = {
  error:
    "100 (forecast / measured - 1) of one point, percent; mean, median and p90 are of its size, bias of the signed value",
  "below saturation": "points whose requests wait neither for a free slot nor for KV blocks: their TTFT is no queue",
  "pairs in order":
    "pairs of one model and load, no repeats, whose measured TPOT differs by more than 10%: the forecast orders them the same way",
  band: "range that is to hold the measured value of four in five points; with something left out, made without the point's part",
  unlisted: "without a fixed list of series that physics does not explain, such as those with undeclared drafting",
} as const satisfies Record<string, string>;

/** Reasons for points that were not forecast that are told one by one. */
const reasonsShown = 12;

/** A validation of serving points, ready to be shown. */
export function servingPage(validation: Validation): ValidationPage {
  const { moecastVersion, basis, inputs } = validation;
  return {
    title: "Validation on measured serving points",
    subtitle: quietLines([`moecast ${moecastVersion}, forecasts by ${basis}`]),
    headline: [servingHeadline(validation)],
    sections: [
      errorSection(validation),
      decisionSection(validation),
      setupSection(validation.setups),
      worstSection(validation.worst),
      scatterSection(validation.points),
      skippedSection(validation.skipped),
      definitionsSection(servingDefinitions),
      inputsSection(inputs),
    ],
    data: { header: dataHeader, rows: dataRows(validation) },
  };
}

function servingHeadline({ overall, ordering }: Validation): string {
  const { tpot, ttftUnsaturated } = overall;
  const parts = [
    `TPOT error ${percentLabel(tpot.medianAbsolutePercent)} median, ${percentLabel(tpot.meanAbsolutePercent)} mean, ` +
      `bias ${signedLabel(tpot.biasPercent)} over ${counted(tpot.points, "point")}`,
  ];
  if (ttftUnsaturated.points > 0)
    parts.push(`TTFT ${percentLabel(ttftUnsaturated.medianAbsolutePercent)} median below saturation`);
  if (ordering.share !== null) parts.push(`${percentLabel(100 * ordering.share)} of pairs in order`);
  return parts.join(" | ");
}

function errorSection({ overall, withoutListed }: Validation): PageSection {
  const metrics = {
    TPOT: "tpot",
    "TTFT below saturation": "ttftUnsaturated",
    "TTFT, queueing included": "ttft",
  } as const;
  const rows = (summary: Validation["overall"], series: string) =>
    Object.entries(metrics).map(([name, key]) => ({ name, series, error: summary[key] }));
  const named = [
    ...rows(overall, "all"),
    ...(withoutListed.points < overall.points ? rows(withoutListed, "unlisted") : []),
  ];
  return {
    kind: "table",
    title: "Errors",
    note: "size of the error in percent of the measured value; bias is signed, positive where the forecast is too slow",
    columns: [{ header: "" }, { header: "series" }, ...errorColumns],
    rows: named
      .filter(({ error }) => error.points > 0)
      .map(({ name, series, error }) => [name, series, ...errorCells(error)]),
  };
}

/** What a planner lives on: which alternative is faster, and whether bands hold. */
function decisionSection({ ordering, orderingWithoutListed, bands }: Validation): PageSection {
  const of = (part: number, all: number) => `${formatCount(part)} of ${formatCount(all)}`;
  const rows: string[][] = [];
  if (ordering.share !== null)
    rows.push([
      "pairs in order",
      percentLabel(100 * ordering.share),
      `${of(ordering.correct, ordering.pairs)} pairs of one model and load, more than 10% apart in measured TPOT`,
    ]);
  if (orderingWithoutListed.share !== null && orderingWithoutListed.pairs < ordering.pairs)
    rows.push([
      "without listed series",
      percentLabel(100 * orderingWithoutListed.share),
      `${of(orderingWithoutListed.correct, orderingWithoutListed.pairs)} pairs`,
    ]);
  for (const metric of ["tpot", "ttft"] as const) {
    const band = bands?.[metric];
    if (band === undefined || band.share === null) continue;
    rows.push([
      `${latencies[metric].label} inside its band`,
      percentLabel(100 * band.share),
      `${of(band.inside, band.points)} points; ${percentLabel(100 * band.nominal)} is nominal`,
    ]);
  }
  return {
    kind: "table",
    title: "Decisions and bands",
    columns: [{ header: "" }, { header: "", align: "right" }, { header: "" }],
    rows,
  };
}

function setupSection(setups: readonly SetupError[]): PageSection {
  const size = (setup: SetupError) => setup.tpot.meanAbsolutePercent ?? setup.ttft.meanAbsolutePercent ?? 0;
  return {
    kind: "table",
    title: "Setups",
    note: "TPOT error by model, system and engine, worst first; TTFT below saturation",
    columns: [
      { header: "model" },
      { header: "system" },
      { header: "engine" },
      { header: "points", align: "right", dispensable: 3 },
      { header: "mean", align: "right" },
      { header: "median", align: "right", dispensable: 4 },
      { header: "p90", align: "right", dispensable: 1 },
      { header: "bias", align: "right" },
      { header: "TTFT median", align: "right", dispensable: 2 },
    ],
    rows: [...setups]
      .sort((a, b) => size(b) - size(a))
      .map((setup) => [
        shortModel(setup.model),
        setup.system,
        setup.engine,
        String(setup.points),
        ...errorCells(setup.tpot).slice(1),
        percentLabel(setup.ttftUnsaturated.medianAbsolutePercent),
      ]),
  };
}

function worstSection(worst: readonly PointError[]): PageSection {
  return {
    kind: "table",
    title: "Worst points",
    note: "largest TPOT errors",
    columns: [
      { header: "error", align: "right" },
      { header: "forecast", align: "right" },
      { header: "measured", align: "right" },
      { header: "point, and what is known" },
    ],
    rows: worst.flatMap(({ point, tpot, reason, listedSeries }) =>
      tpot === null
        ? []
        : [
            [
              signedLabel(tpot.errorPercent),
              msLabel(tpot.predictedMs),
              msLabel(tpot.measuredMs),
              `${pointLabel(point)} (line ${point.line}): ${withSeries(reason, listedSeries)}`,
            ],
          ],
    ),
  };
}

/** A reason with the listed series it has not named itself. */
const withSeries = (reason: string, series: string | null): string =>
  series === null || reason.includes(series) ? reason : `${reason}; listed series: ${series}`;

const scatterSection = (points: readonly PointError[]): PageSection => ({
  kind: "scatter",
  title: "Forecast against measured TPOT",
  plot: {
    quantity: "TPOT",
    unit: "ms",
    points: points.flatMap(({ point, tpot }) =>
      tpot === null
        ? []
        : [
            {
              measured: tpot.measuredMs,
              predicted: tpot.predictedMs,
              series: `${point.engine}, ${point.system}`,
              label: `${pointLabel(point)}: forecast ${msLabel(tpot.predictedMs)}, measured ${msLabel(tpot.measuredMs)} (${signedLabel(tpot.errorPercent)})`,
            },
          ],
    ),
  },
});

/** Points without a forecast by reason, the most frequent first. */
function skippedSection(skipped: Validation["skipped"]): PageSection {
  const byReason = new Map<string, Validation["skipped"][number]["point"][]>();
  for (const { point, reason } of skipped) byReason.set(reason, [...(byReason.get(reason) ?? []), point]);
  const reasons = [...byReason].sort(([, a], [, b]) => b.length - a.length);
  const rows = reasons.slice(0, reasonsShown).map(([reason, points]) => {
    const [first] = points;
    const example =
      first === undefined ? "" : ` (${points.length === 1 ? "" : "such as "}${pointLabel(first)}, line ${first.line})`;
    return [String(points.length), `${reason}${example}`];
  });
  const rest = reasons.slice(reasonsShown).reduce((sum, [, points]) => sum + points.length, 0);
  if (rest > 0) rows.push([String(rest), `for ${reasons.length - reasonsShown} other reasons`]);
  return {
    kind: "table",
    title: "Not forecast",
    note: counted(skipped.length, "point"),
    columns: [{ header: "", align: "right" }, { header: "" }],
    rows,
  };
}

const dataHeader = [
  "model",
  "system",
  "engine",
  "version",
  "precision",
  "prompt_tokens",
  "output_tokens",
  "concurrency",
  "tp",
  "dp",
  "etp",
  "ep",
  "devices",
  "measured_at",
  ...["tpot", "ttft"].flatMap((metric) => [
    `${metric}_measured_ms`,
    `${metric}_forecast_ms`,
    `${metric}_error_percent`,
    `${metric}_low_ms`,
    `${metric}_high_ms`,
  ]),
  "saturated",
  "listed_series",
  "reason",
  "status",
  "file",
  "line",
];

function dataRows({ points, skipped }: Validation): DataCell[][] {
  const metric = (value: PointMetric | null, measuredMs: number | null): DataCell[] =>
    value === null
      ? [measuredMs, null, null, null, null]
      : [value.measuredMs, value.predictedMs, value.errorPercent, value.lowMs, value.highMs];
  const row = (error: PointError, status: string): DataCell[] => {
    const { point, tpot, ttft, saturated, listedSeries, reason } = error;
    return [
      point.model,
      point.system,
      point.engine,
      point.version,
      point.precision,
      point.promptTokens,
      point.outputTokens,
      point.concurrency,
      point.tp,
      point.dp,
      point.etp,
      point.ep,
      point.devices,
      point.measured,
      ...metric(tpot, point.tpotMs),
      ...metric(ttft, point.ttftMs),
      status === "forecast" ? saturated : null,
      listedSeries,
      reason,
      status,
      point.file,
      point.line,
    ];
  };
  return [
    ...points.map((error) => row(error, "forecast")),
    ...skipped.map(({ point, reason }) =>
      row({ point, tpot: null, ttft: null, saturated: false, listedSeries: null, reason }, "skipped"),
    ),
  ];
}
