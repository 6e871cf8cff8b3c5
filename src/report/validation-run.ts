import { formatCount, formatNumber, formatPercent } from "../core/units.ts";
import { latencies } from "../metrics/latencies.ts";
import { timeComponents } from "../sim/result.ts";
import type { ComparedFigure, RunValidation } from "../validate/run/run-validation.ts";
import { componentLabel, deploymentLine } from "./labels.ts";
import type { PageSection } from "./page.ts";
import {
  definitionsSection,
  errorCells,
  errorColumns,
  inputsSection,
  listSection,
  msLabel,
  percentLabel,
  quietLines,
  signedLabel,
} from "./validation-labels.ts";
import type { DataCell, ValidationPage } from "./validation-page.ts";

const metricNames = {
  ttft: latencies.ttft.label,
  tpot: latencies.tpot.label,
  itl: latencies.itl.label,
  e2e: latencies.e2e.label,
  outputThroughput: "output throughput",
  requestThroughput: "request throughput",
  duration: "duration",
} as const satisfies Record<ComparedFigure["metric"], string>;

/** Figures of the headline, where the measurement has them. */
const headlineFigures = [
  { metric: "tpot", statistic: "mean" },
  { metric: "ttft", statistic: "p50" },
  { metric: "outputThroughput", statistic: null },
] as const;

/** Shares of step time below this are not listed. */
const shareMin = 0.0005;

/** A served workload against its forecast, ready to be shown. */
export function runPage(validation: RunValidation): ValidationPage {
  const { forecast, inputs, moecastVersion, workload, requests } = validation;
  const compared =
    workload === "replayed"
      ? `arrivals and lengths of ${formatCount(requests.measured ?? 0)} measured requests, ${formatCount(requests.compared)} completed on both sides`
      : `${formatCount(requests.compared)} requests of ${workload === "scenario" ? "the scenario's traffic" : "the measured load"}; the measurement states only statistics`;
  return {
    title: `Validation of ${forecast.scenario.name} on a measured run`,
    subtitle: quietLines([`moecast ${moecastVersion}, seed ${forecast.seed}`, deploymentLine(forecast), compared]),
    headline: [runHeadline(validation)],
    sections: [
      figureSection(validation),
      ...notesSection(validation),
      perRequestSection(validation),
      ...scatterSections(validation),
      timeSection(validation),
      ledgerSection(validation),
      definitionsSection({
        error: "100 (forecast / measured - 1), percent",
        ...Object.fromEntries(times.map((metric) => [latencies[metric].label, latencies[metric].definition])),
        percentile:
          workload === "replayed"
            ? "type 7 over the requests that completed on both sides; n/a with fewer than ten of them beyond it"
            : "measured: as the benchmark states it; forecast: type 7, n/a with fewer than ten requests beyond it",
        throughput: "from the first arrival to the last token, the ramp at the start and the drain at the end inside",
      }),
      inputsSection(inputs),
    ],
    data: { header: dataHeader, rows: dataRows(validation) },
  };
}

function runHeadline({ figures, forecast }: RunValidation): string {
  const parts = headlineFigures.flatMap(({ metric, statistic }) => {
    const found = figures.find((figure) => figure.metric === metric && figure.statistic === statistic);
    if (found === undefined || found.errorPercent === null) return [];
    return [`${figureName(found)} ${signedLabel(found.errorPercent)}`];
  });
  if (forecast.interrupted) parts.unshift("INTERRUPTED: figures cover what had happened until then");
  if (forecast.load.verdict === "overloaded") parts.push("forecast OVERLOADED");
  if (forecast.load.verdict === "tooShort") parts.push("forecast TOO SHORT to tell whether it keeps up");
  return parts.length === 0 ? "nothing to compare" : `forecast against measured: ${parts.join(" | ")}`;
}

const figureName = ({ metric, statistic }: ComparedFigure): string =>
  `${metricNames[metric]}${statistic === null ? "" : ` ${statistic}`}`;

function figureSection({ figures }: RunValidation): PageSection {
  return {
    kind: "table",
    title: "Measured and forecast",
    columns: [
      { header: "" },
      { header: "measured", align: "right" },
      { header: "forecast", align: "right" },
      { header: "error", align: "right" },
    ],
    rows: figures.map((figure) => [
      figureName(figure),
      quantity(figure.measured, figure.unit),
      quantity(figure.predicted, figure.unit),
      signedLabel(figure.errorPercent),
    ]),
  };
}

/** How the measurement was read: shown where it is not as it stands in the file. */
const notesSection = ({ notes }: RunValidation): PageSection[] => listSection("The measurement", notes);

function quantity(value: number | null, unit: ComparedFigure["unit"]): string {
  if (value === null) return "n/a";
  return unit === "ms" ? msLabel(value) : `${formatNumber(value, 4)} ${unit}`;
}

function perRequestSection({ perRequest }: RunValidation): PageSection {
  return {
    kind: "table",
    title: "Request by request",
    note: "size of the error in percent of the measured value of the same request; bias is signed",
    columns: [{ header: "" }, ...errorColumns],
    rows:
      perRequest === null
        ? []
        : (["ttft", "tpot", "e2e"] as const).map((metric) => [metricNames[metric], ...errorCells(perRequest[metric])]),
  };
}

function scatterSections({ pairs }: RunValidation): PageSection[] {
  if (pairs.length === 0) return [];
  const points = pairs.map(({ index, promptTokens, outputTokens, measured, predicted }) => ({
    measured: measured.e2eMs,
    predicted: predicted.e2eMs,
    series: "requests",
    label: `request ${index + 1}, ${promptTokens} in, ${outputTokens} out: forecast ${msLabel(predicted.e2eMs)}, measured ${msLabel(measured.e2eMs)}`,
  }));
  return [{ kind: "scatter", title: "Forecast against measured E2E", plot: { quantity: "E2E", unit: "ms", points } }];
}

/** Where the forecast spends the time of a step: the first place to look for the reason of an error. */
function timeSection({ forecast, stepMs }: RunValidation): PageSection {
  const rows = timeComponents
    .map((component) => ({ component, share: forecast.timeShare[component] }))
    .filter(({ share }) => share >= shareMin)
    .sort((a, b) => b.share - a.share)
    .map(({ component, share }) => [componentLabel(component), percentLabel(100 * share), msLabel(stepMs[component])]);
  return {
    kind: "table",
    title: "Where the forecast's step time goes",
    note: `${formatNumber(forecast.throughput.meanBatchTokens)} tokens a step, KV cache at most ${formatPercent(forecast.kv.peakShare)} in use`,
    columns: [{ header: "" }, { header: "share", align: "right" }, { header: "mean step", align: "right" }],
    rows,
  };
}

const ledgerSection = ({ forecast }: RunValidation): PageSection => ({
  kind: "table",
  title: "Fidelity ledger",
  note: "what the forecast rests on",
  columns: [{ header: "" }, { header: "" }, { header: "" }],
  rows: forecast.ledger.map(({ fidelity, topic, detail }) => [fidelity, topic, detail]),
  quiet: true,
});

const times = ["ttft", "tpot", "e2e"] as const;

const dataHeader = [
  "row",
  "request",
  "prompt_tokens",
  "output_tokens",
  ...times.flatMap((metric) => [`${metric}_measured_ms`, `${metric}_forecast_ms`]),
  "metric",
  "statistic",
  "unit",
  "measured",
  "forecast",
  "error_percent",
];

/** A row for every request of a replay, then one for every compared figure. */
function dataRows({ pairs, figures }: RunValidation): DataCell[][] {
  const none = (count: number): null[] => Array.from({ length: count }, () => null);
  return [
    ...pairs.map(({ index, promptTokens, outputTokens, measured, predicted }): DataCell[] => [
      "request",
      index + 1,
      promptTokens,
      outputTokens,
      ...times.flatMap((metric) => [measured[`${metric}Ms`], predicted[`${metric}Ms`]]),
      ...none(6),
    ]),
    ...figures.map(({ metric, statistic, unit, measured, predicted, errorPercent }): DataCell[] => [
      "figure",
      ...none(3 + 2 * times.length),
      metric,
      statistic,
      unit,
      measured,
      predicted,
      errorPercent,
    ]),
  ];
}
