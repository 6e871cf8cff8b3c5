import { oneLine } from "../core/printable.ts";
import { formatCount, formatDuration, formatNumber, formatPercent } from "../core/units.ts";
import type { BaselineDelta, Cost, Forecast, LatencyStats, SloVerdict } from "../forecast/forecast.ts";
import { loadText, sustainedText } from "../sim/outcome/load/load-text.ts";
import { latencyMetrics } from "../sim/outcome/request-latencies.ts";
import { adviceLines } from "./advice-lines.ts";
import { changeLabel, comparedValue, drawsLabel, intervalLabel, limitLabel } from "./baseline-labels.ts";
import { displayWidth } from "./display-width.ts";
import { headline, headlineSeparator, verdictOf } from "./headline.ts";
import {
  bandLabels,
  basisLabel,
  bottleneckLabel,
  deploymentLine,
  dollars,
  marginLabel,
  markNote,
  milliseconds,
  percentileLabel,
  verdictLabel,
} from "./labels.ts";
import type { TerminalSection } from "./terminal-view.ts";
import { type Align, type TextStyle, tableRows, textTable, wrap, wrapHanging, wrapItems } from "./text-table.ts";

const verdictColour = (forecast: Forecast, style: TextStyle) =>
  forecast.interrupted ? style.warn : verdictOf(forecast).startsWith("FAIL") ? style.bad : style.good;

/** What was simulated, and the verdict. */
export const titleSection: TerminalSection = (forecast, { style, width }) => {
  const { scenario, deployment, seed, moecastVersion, bottleneck } = forecast;
  const cache = deployment.offload === null ? "" : `, expert cache ${deployment.offload}`;
  const colour = verdictColour(forecast, style);
  return [
    style.bold(oneLine(scenario.name)) + style.dim(`  moecast ${oneLine(moecastVersion)}, seed ${seed}`),
    ...wrapHanging(scenario.description, width).map(style.dim),
    ...wrapHanging(deploymentLine(forecast), width),
    ...wrapHanging(`placement ${deployment.placement}${cache}`, width),
    "",
    ...wrapItems(headline(forecast).split(headlineSeparator), headlineSeparator, width).map((line) =>
      colour(style.bold(line)),
    ),
    ...wrapHanging(`bottleneck: ${bottleneckLabel(bottleneck)}`, width),
    ...adviceLines(forecast).flatMap((line) => wrapHanging(line, width)),
    ...(forecast.interrupted ? [style.warn("interrupted: figures cover what had happened until then")] : []),
  ];
};

/** Verdicts on the load that fail an SLO, as their reasons begin. */
const unsettled = ["overloaded", "too short to tell"];

/** One line per SLO, and its value. */
export const sloSection: TerminalSection = (forecast, { style, width }) => {
  if (forecast.slos.length === 0) return [];
  const rows = tableRows(
    forecast.slos.map((slo) => [
      verdictLabel(slo),
      slo.metric,
      slo.expression,
      slo.valueText,
      marginLabel(slo.margin),
      // The latency section says why.
      unsettled.find((word) => slo.reason?.startsWith(`${word}: `)) ?? basisLabel(slo),
    ]),
    { width },
  );
  const colour = (slo: SloVerdict | undefined) =>
    slo === undefined || slo.passed ? style.good : slo.level === "warn" ? style.warn : style.bad;
  return [style.bold("SLOs"), ...rows.flatMap((lines, i) => lines.map(colour(forecast.slos[i])))];
};

const columns = {
  mean: ({ mean, meanHalfWidth }: LatencyStats) =>
    meanHalfWidth === null ? milliseconds(mean) : `${milliseconds(mean)} ± ${milliseconds(meanHalfWidth)}`,
  p50: (stats: LatencyStats) => percentileLabel(stats, "p50"),
  p90: (stats: LatencyStats) => percentileLabel(stats, "p90"),
  p95: (stats: LatencyStats) => percentileLabel(stats, "p95"),
  p99: (stats: LatencyStats) => percentileLabel(stats, "p99"),
  "p99.9": (stats: LatencyStats) => percentileLabel(stats, "p999"),
  max: ({ max }: LatencyStats) => milliseconds(max),
  n: ({ n }: LatencyStats) => formatCount(n),
} satisfies Record<string, (stats: LatencyStats) => string>;

/** Columns a narrow terminal does without, the most dispensable first. */
const dispensable = ["p95", "p99.9", "max", "p90"];

/** Latencies over all requests and by class; an overloaded deployment has none. */
export const latencySection: TerminalSection = (forecast, { style, width }) => {
  const { load } = forecast;
  if (load.verdict === "overloaded") {
    const offered = `offered ${formatNumber(load.offeredRequestsPerSecond ?? 0)} requests/s`;
    const sustains = `sustains ${sustainedText(load) ?? "an unknown rate"}`;
    return [
      style.bold("Latency"),
      `  n/a: overloaded, ${offered}, ${sustains}`,
      ...wrap(load.reason, width - 2).map((line) => style.dim(`  ${line}`)),
    ];
  }
  const label = (metric: string) => (metric === "queue" ? metric : metric.toUpperCase());
  const named: [string, LatencyStats][] = latencyMetrics.map((metric) => [label(metric), forecast.latency[metric]]);
  const classes = Object.entries(forecast.latencyByClass);
  if (classes.length > 1)
    for (const [name, stats] of classes)
      for (const metric of latencyMetrics) {
        // Gaps between tokens are not kept per class.
        if (metric !== "queue" && stats[metric].n > 0) named.push([`${label(metric)} ${name}`, stats[metric]]);
      }
  const [first = "", ...rest] = wrap(`Latency  ${loadText(load)}`, width);
  const note = markNote(named.map(([, stats]) => stats));
  return [
    style.bold("Latency") + style.dim(first.slice("Latency".length).replace(/^ /, "  ")),
    ...rest.map((line) => style.dim(`  ${line}`)),
    ...latencyTable(named, width),
    ...(note === "" ? [] : wrapHanging(note, width, "  ")).map(style.dim),
    ...bandLines(forecast, width).map(style.dim),
  ];
};

/** Where measured values would lie, below the forecast ones. */
function bandLines(forecast: Forecast, width: number): string[] {
  const labels = bandLabels(forecast);
  if (forecast.bands === null || labels.length === 0) return [];
  return wrapHanging(`${formatPercent(forecast.bands.nominal, 0)} band: ${labels.join(", ")}`, width, "  ");
}

function latencyTable(named: readonly (readonly [string, LatencyStats])[], width: number): string[] {
  let lines: string[] = [];
  for (let dropped = 0; dropped <= dispensable.length; dropped += 1) {
    const shown = Object.entries(columns).filter(([name]) => !dispensable.slice(0, dropped).includes(name));
    const header = ["", ...shown.map(([name]) => name)];
    const align: Align[] = header.map((_, i) => (i === 0 ? "left" : "right"));
    lines = textTable([header, ...named.map(([name, stats]) => [name, ...shown.map(([, cell]) => cell(stats))])], {
      align,
    });
    if (lines.every((line) => displayWidth(line) <= width)) break;
  }
  return lines;
}

/** Tokens, requests, goodput, cost and energy. */
export const throughputSection: TerminalSection = (forecast, { style, width }) => {
  const { throughput: t, requests, speculation, cost, energy } = forecast;
  const rows: string[][] = [
    [
      "output tokens/s",
      formatNumber(t.outputTokensPerSecond, 4),
      `${formatNumber(t.outputTokensPerSecondPerDevice, 4)} per device`,
    ],
    ["all tokens/s", formatNumber(t.totalTokensPerSecond, 4), `${formatNumber(t.meanBatchTokens)} tokens per step`],
    [
      "requests/s",
      formatNumber(t.requestsPerSecond, 4),
      `${formatCount(requests.completed)} of ${formatCount(requests.total)} completed in ${formatDuration(t.durationS * 1e9)}, ` +
        `the first ${formatCount(requests.warmup)} left out of statistics`,
    ],
  ];
  if (speculation !== null)
    rows.push([
      "acceptance length",
      speculation.acceptanceLength === null ? "n/a" : formatNumber(speculation.acceptanceLength),
      `tokens per verification, ${formatCount(speculation.accepted)} of ${formatCount(speculation.drafted)} drafts accepted`,
    ]);
  if (requests.rejected > 0)
    rows.push(["rejected", formatCount(requests.rejected), "longer than the context or the KV cache"]);
  if (requests.unfinished > 0) rows.push(["unfinished", formatCount(requests.unfinished), ""]);
  if (requests.preemptions > 0)
    rows.push(["preemptions", formatCount(requests.preemptions), "recomputed for want of KV blocks"]);
  if (t.goodput !== null) rows.push(["goodput", formatPercent(t.goodput), "of measured requests"]);
  if (cost !== null) rows.push(...costRows(cost));
  if (energy !== null)
    rows.push([
      "energy",
      `${formatNumber(energy.joulesPerOutputToken)} J`,
      `per output token, ${formatNumber(energy.averageW)} W on average`,
    ]);
  return [style.bold("Throughput"), ...textTable(rows, { align: ["left", "right"], width })];
};

/** The bill per token, under the three ways to lay it on tokens, and the price it stands on. */
function costRows({ usdPerHour, usdPerMillionOutputTokens, usdPerMillionTokens, price, divided }: Cost): string[][] {
  const { usdPerMillionInputTokens: input, usdPerMillionOutputTokens: output, promptTimeShare } = divided;
  const rows = [
    ["cost", dollars(usdPerMillionOutputTokens), `per million output tokens at ${dollars(usdPerHour)}/h`],
    ["", dollars(usdPerMillionTokens), "per million tokens, input and output alike"],
  ];
  if (input !== null)
    rows.push([
      "",
      dollars(input),
      `per million input tokens and ${dollars(output)} output: prompts take ${formatPercent(promptTimeShare)} of step time`,
    ]);
  return [...rows, ["price", dollars(price.usdPerDeviceHour), `per device and hour: ${oneLine(price.source)}`]];
}

/** What changed against an earlier forecast: regressions, then what only its interval excuses; at the full level all. */
export const baselineSection: TerminalSection = (forecast, { style, width, level }) => {
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
  return [
    style.bold("Against the baseline"),
    ...(baselineRun === null ? [] : wrapHanging(drawsLabel(baselineRun, forecast), width, "  ").map(style.dim)),
    ...deltaTable(shown, width).map((line, i) => (shown[i - 1]?.failed === true ? style.bad(line) : line)),
    ...(others.length === 0 ? [] : [`  of ${baseline.length} metrics ${others.join(", ")}`]),
  ];
};

const deltaColumns: readonly (readonly [header: string, align: Align, (delta: BaselineDelta) => string])[] = [
  ["", "left", (delta) => (delta.failed ? "FAIL" : "ok")],
  ["metric", "left", (delta) => delta.metric],
  ["before", "right", (delta) => comparedValue(delta, delta.before)],
  ["now", "right", (delta) => comparedValue(delta, delta.after)],
  ["change", "left", changeLabel],
  ["limit", "right", limitLabel],
  ["interval", "right", intervalLabel],
];

/** The table with its header; a narrow terminal does without the last columns. */
function deltaTable(deltas: readonly BaselineDelta[], width: number): string[] {
  if (deltas.length === 0) return [];
  let lines: string[] = [];
  for (let kept = deltaColumns.length; kept > 0; kept -= 1) {
    const columns = deltaColumns.slice(0, kept);
    lines = textTable(
      [columns.map(([header]) => header), ...deltas.map((delta) => columns.map(([, , cell]) => cell(delta)))],
      { align: columns.map(([, align]) => align) },
    );
    if (lines.every((line) => displayWidth(line) <= width)) break;
  }
  return lines;
}

/** The verdict once more, with what failed by name. */
export const closingSection: TerminalSection = (forecast, { style, width }) => {
  const named = `${forecast.scenario.name}: ${verdictOf(forecast)}`;
  const failed = failures(forecast);
  const more = failed.length > failuresNamed ? ` and ${failed.length - failuresNamed} more` : "";
  const list = failed.length === 0 ? "" : `: ${failed.slice(0, failuresNamed).join(", ")}${more}`;
  const colour = verdictColour(forecast, style);
  return wrapHanging(`${named}${list}`, width).map((line) => colour(style.bold(line)));
};

const failuresNamed = 4;

/** SLOs that fail the run, then regressions, the largest first. */
function failures({ slos, baseline }: Forecast): string[] {
  return [
    ...slos
      .filter((slo) => !slo.passed && slo.level === "error")
      .map((slo) => `${slo.metric} ${slo.expression} (${slo.valueText})`),
    ...(baseline ?? [])
      .filter((delta) => delta.failed)
      .sort((a, b) => (b.regression ?? Number.MAX_VALUE) - (a.regression ?? Number.MAX_VALUE))
      .map((delta) => `${delta.metric} ${changeLabel(delta)}`),
  ];
}
