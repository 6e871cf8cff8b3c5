import { oneLine } from "../core/printable.ts";
import { formatBytes, formatCount, formatNumber, formatPercent } from "../core/units.ts";
import type { Forecast } from "../forecast/forecast.ts";
import { loadText } from "../sim/outcome/load/load-text.ts";
import { latencyMetrics } from "../sim/outcome/request-latencies.ts";
import { adviceLines } from "./advice-lines.ts";
import { changeLabel, comparedValue, drawsLabel, intervalLabel, limitLabel } from "./baseline-labels.ts";
import type { Exporter, ScenarioFailure } from "./exporter.ts";
import { headline } from "./headline.ts";
import {
  bandBasisLabel,
  bandLabels,
  bottleneckLabel,
  deploymentLine,
  dollars,
  markNote,
  milliseconds,
  percentileLabel,
  verdictLabel,
} from "./labels.ts";

/** Characters that could end a table cell or start HTML become entities, which Markdown never takes for markup. */
const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  "|": "&#124;",
  "\\": "&#92;",
};

/** Text that cannot end a table cell, open markup, make a link or image, or start HTML. */
export function markdownText(text: string): string {
  return oneLine(text).replace(/:\/\/|[&<>|\\`*_~[\]!#]/g, (mark) =>
    mark === "://" ? ":\\/\\/" : (entities[mark] ?? `\\${mark}`),
  );
}

/** A table whose cells are plain text. */
export function markdownTable(header: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]) => `| ${cells.map(markdownText).join(" | ")} |`;
  return [line(header), `| ${header.map(() => "---").join(" | ")} |`, ...rows.map(line), ""];
}

export const markdownFolded = (summary: string, lines: readonly string[]): string[] => [
  `<details><summary>${summary}</summary>`,
  "",
  ...lines,
  "</details>",
  "",
];

/** The first lines of a report: what was simulated, and how it came out. */
export function markdownHeading(forecast: Forecast): string[] {
  return [
    `### ${markdownText(forecast.scenario.name)}: ${markdownText(headline(forecast))}`,
    "",
    `Deployment: ${markdownText(deploymentLine(forecast))}`,
    "",
    ...(forecast.interrupted ? ["Interrupted: figures cover what had happened until then.", ""] : []),
  ];
}

/** A headline, tables of SLOs, latency, throughput and experts, and the rest folded away. */
export function markdownReport(forecast: Forecast): string {
  return [
    ...markdownHeading(forecast),
    ...slos(forecast),
    ...latency(forecast),
    ...bands(forecast),
    ...baseline(forecast),
    ...figures(forecast),
    `Bottleneck: ${bottleneckLabel(forecast.bottleneck)}.`,
    ...adviceLines(forecast).map((line) => `- ${markdownText(line)}`),
    "",
    ...markdownFolded("Memory", memory(forecast)),
    ...markdownFolded(
      "Fidelity ledger",
      markdownTable(
        ["fidelity", "topic", "detail"],
        forecast.ledger.map((entry) => [entry.fidelity, entry.topic, entry.detail]),
      ),
    ),
  ].join("\n");
}

function slos({ slos: verdicts }: Forecast): string[] {
  if (verdicts.length === 0) return [];
  return markdownTable(
    ["", "SLO", "limit", "value", "samples", "note"],
    verdicts.map((slo) => [
      verdictLabel(slo),
      slo.metric,
      slo.expression,
      slo.valueText,
      formatCount(slo.samples),
      slo.reason ?? "",
    ]),
  );
}

const capitalised = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

function latency(forecast: Forecast): string[] {
  const { load } = forecast;
  if (load.verdict === "overloaded") return [`Overloaded: ${markdownText(load.reason)}. Latencies are n/a.`, ""];
  const note = markNote(latencyMetrics.map((metric) => forecast.latency[metric]));
  const table = markdownTable(
    ["latency", "mean", "p50", "p90", "p99", "max", "n"],
    latencyMetrics.map((metric) => {
      const stats = forecast.latency[metric];
      return [
        metric === "queue" ? metric : metric.toUpperCase(),
        milliseconds(stats.mean),
        ...(["p50", "p90", "p99"] as const).map((name) => percentileLabel(stats, name)),
        milliseconds(stats.max),
        formatCount(stats.n),
      ];
    }),
  );
  return [
    ...(load.verdict === "tooShort" ? [`${markdownText(capitalised(loadText(load)))}.`, ""] : []),
    ...table,
    ...(note === "" ? [] : [markdownText(note), ""]),
  ];
}

function bands(forecast: Forecast): string[] {
  const { bands: found } = forecast;
  if (found === null) return [];
  const { outputTokensPerSecond: rate } = found.metrics;
  const parts = [
    ...bandLabels(forecast),
    ...(rate === null ? [] : [`${formatNumber(rate.low, 3)} to ${formatNumber(rate.high, 3)} output tokens/s`]),
  ];
  if (parts.length === 0) return [];
  const head = `${formatPercent(found.nominal, 0)} band (${bandBasisLabel(found)}): `;
  return [`${markdownText(head + parts.join(", "))}.`, ""];
}

function baseline(forecast: Forecast): string[] {
  const { baseline: deltas, baselineRun: run } = forecast;
  if (deltas === null) return [];
  const table = markdownTable(
    ["", "against the baseline", "before", "now", "change", "limit", "interval"],
    deltas.map((delta) => [
      delta.failed ? "FAIL" : "ok",
      delta.metric,
      comparedValue(delta, delta.before),
      comparedValue(delta, delta.after),
      changeLabel(delta),
      limitLabel(delta),
      intervalLabel(delta),
    ]),
  );
  return [...table, ...(run === null ? [] : [`${markdownText(`Baseline: ${drawsLabel(run, forecast)}`)}.`, ""])];
}

function figures(forecast: Forecast): string[] {
  const { throughput: t, requests, experts, cache, cost, energy } = forecast;
  const rows = [
    [
      "output tokens/s",
      formatNumber(t.outputTokensPerSecond, 4),
      `${formatNumber(t.outputTokensPerSecondPerDevice, 4)} per device`,
    ],
    [
      "requests",
      formatCount(requests.completed),
      `of ${formatCount(requests.total)} completed, ${formatCount(requests.rejected)} rejected`,
    ],
  ];
  if (t.goodput !== null) rows.push(["goodput", formatPercent(t.goodput), "of measured requests"]);
  if (cost !== null) {
    const { usdPerMillionInputTokens: input, usdPerMillionOutputTokens: output } = cost.divided;
    rows.push(["cost", dollars(cost.usdPerMillionOutputTokens), "per million output tokens"]);
    rows.push(["", dollars(cost.usdPerMillionTokens), "per million tokens, input and output alike"]);
    if (input !== null)
      rows.push(["", dollars(input), `per million input tokens, and ${dollars(output)} output, divided by step time`]);
    rows.push(["price", dollars(cost.price.usdPerDeviceHour), `per device and hour: ${cost.price.source}`]);
  }
  if (energy !== null) rows.push(["energy", `${formatNumber(energy.joulesPerOutputToken)} J`, "per output token"]);
  if (experts !== null)
    rows.push([
      "expert load imbalance",
      formatNumber(experts.imbalance, 4),
      "heaviest / mean rank, mean over steps and layers",
    ]);
  if (cache !== null && cache.accesses > 0)
    rows.push([
      "expert cache hit rate",
      formatPercent(cache.hits / cache.accesses, 2),
      cache.reference === null
        ? cache.policy
        : `${cache.policy}; optimum (Belady) ${formatPercent(cache.reference.belady, 2)}, best fixed set ${formatPercent(cache.reference.bestStatic, 2)}`,
    ]);
  return markdownTable(["", "value", ""], rows);
}

function memory({ memory: map }: Forecast): string[] {
  return markdownTable(
    ["tier", "holds", "bytes"],
    map.tiers.flatMap((tier) => [
      ...tier.items.map((item) => [tier.tier, item.name, formatBytes(item.bytes)]),
      [tier.tier, "in all", `${formatBytes(tier.usedBytes)} of ${formatBytes(tier.capacityBytes)}`],
    ]),
  );
}

/** A scenario that has no forecast, and why. */
export const markdownFailure = ({ file, message }: ScenarioFailure): string =>
  [`### ${markdownText(file)}: no forecast`, "", markdownText(message), ""].join("\n");

export const markdownExport: Exporter = {
  description: "headline, SLO, latency and throughput tables; memory and ledger folded",
  appends: false,
  reportsFailures: true,
  render: (forecasts, { failures = [] } = {}) =>
    [...forecasts.map(markdownReport), ...failures.map(markdownFailure)].join("\n"),
};
