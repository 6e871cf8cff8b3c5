import { formatCount, formatDollars, formatDuration, formatNumber, formatPercent } from "../core/units.ts";
import type { BandEnd, Forecast, Range, SloVerdict } from "../forecast/forecast.ts";
import type { Cost } from "../metrics/figures.ts";
import { metrics } from "../metrics/metrics.ts";
import { basisLabel, marginLabel, verdictLabel } from "./labels.ts";
import { noteFor, type PageLine, type PageRow, type PageSection, type Tone } from "./page.ts";

/** Verdicts on the load that fail an SLO, as their reasons begin. */
const unsettled = ["overloaded", "too short to tell"];

/** A row per SLO, with its value. */
export function sloSection({ slos }: Forecast): PageSection[] {
  const tone = (slo: SloVerdict): Tone => (slo.passed ? "good" : slo.level === "warn" ? "warn" : "bad");
  return [
    {
      kind: "table",
      title: "SLOs",
      titleOnly: "terminal",
      headerOnly: "markdown",
      columns: [
        { header: "" },
        { header: "SLO" },
        { header: "limit" },
        { header: "value" },
        { header: "margin", only: "terminal" },
        { header: "basis", only: "terminal" },
        { header: "samples", only: "markdown" },
        { header: "note", only: "markdown" },
      ],
      rows: slos.map((slo) => ({
        tone: tone(slo),
        cells: [
          verdictLabel(slo),
          slo.metric,
          slo.expression,
          slo.valueText,
          marginLabel(slo.margin),
          // The latency section says why.
          unsettled.find((word) => slo.reason?.startsWith(`${word}: `)) ?? basisLabel(slo),
          formatCount(slo.samples),
          slo.reason ?? "",
        ],
      })),
    },
  ];
}

/** Tokens, requests, goodput, cost and energy; in Markdown also what experts and their cache come to. */
export function throughputSection(forecast: Forecast): PageSection[] {
  const { throughput: t, requests, cost, energy } = forecast;
  const rows: PageRow[] = [
    [
      metrics.throughput.label,
      formatNumber(t.outputTokensPerSecond, 4),
      `${formatNumber(t.outputTokensPerSecondPerDevice, 4)} per device`,
    ],
    ...detailRows(forecast).map((cells): PageRow => ({ cells, only: "terminal" })),
    {
      cells: [
        "requests",
        formatCount(requests.completed),
        `of ${formatCount(requests.total)} completed, ${formatCount(requests.rejected)} rejected`,
      ],
      only: "markdown",
    },
  ];
  if (t.goodput !== null) rows.push([metrics.goodput.label, formatPercent(t.goodput), "of counted requests"]);
  if (cost !== null) rows.push(...costRows(cost));
  if (energy !== null)
    rows.push([
      metrics.joulesPerOutputToken.label,
      `${formatNumber(energy.joulesPerOutputToken)} J`,
      `per output token, ${formatNumber(energy.averageW)} W on average`,
    ]);
  rows.push(...expertRows(forecast).map((cells): PageRow => ({ cells, only: "markdown" })));
  return [
    {
      kind: "table",
      title: "Throughput",
      titleOnly: "terminal",
      headerOnly: "markdown",
      columns: [{ header: "" }, { header: "value", align: "right" }, { header: "" }],
      rows,
      after: bandNotes(forecast),
    },
  ];
}

/** Bands of what is served and what it costs, and the runs at the ends of the band they are read off. */
function bandNotes({ bands }: Forecast): PageLine[] {
  if (bands === null) return [];
  const { outputTokensPerSecond: rate, usdPerMillionOutputTokens: usd, goodput } = bands.metrics;
  const between = (range: Range | null, format: (value: number) => string, unit: string) =>
    range === null ? [] : [`${format(range.low)} to ${format(range.high)}${unit}`];
  const ranges = [
    ...between(rate, (value) => formatNumber(value, 3), " output tokens/s"),
    ...between(usd, formatDollars, " per million output tokens"),
    ...between(goodput, (value) => formatPercent(value), " goodput"),
  ];
  if (ranges.length === 0) return [];
  const text = [`${formatPercent(bands.nominal, 0)} band: ${ranges.join(", ")}`, ...endTexts(bands)].join("; ");
  return [...noteFor("terminal", text), ...noteFor("markdown", `${text}.`)];
}

function endTexts({ ends }: NonNullable<Forecast["bands"]>): string[] {
  if (ends === null) return [];
  const over = (name: string, { verdict, sustainedRequestsPerSecond: sustained }: BandEnd) =>
    verdict !== "overloaded"
      ? []
      : [
          `overloaded at the ${name} end${sustained === null ? "" : `, sustains ${formatNumber(sustained)} requests/s`}`,
        ];
  const factors = [ends.fast, ends.slow].map(({ factor }) => `x ${formatNumber(factor, 3)}`);
  return [`runs with all durations ${factors.join(" and ")}`, ...over("fast", ends.fast), ...over("slow", ends.slow)];
}

function detailRows({ throughput: t, requests, speculation }: Forecast): string[][] {
  const rows = [
    ["all tokens/s", formatNumber(t.totalTokensPerSecond, 4), `${formatNumber(t.meanBatchTokens)} tokens per step`],
    [
      metrics.requestRate.label,
      formatNumber(t.requestsPerSecond, 4),
      `${formatCount(requests.completed)} of ${formatCount(requests.total)} completed in ${formatDuration(t.durationS * 1e9)}, ` +
        `the first ${formatCount(requests.warmup)} left out of statistics`,
    ],
  ];
  if (speculation !== null)
    rows.push([
      metrics.acceptanceLength.label,
      speculation.acceptanceLength === null ? "n/a" : formatNumber(speculation.acceptanceLength),
      `tokens per verification, ${formatCount(speculation.accepted)} of ${formatCount(speculation.drafted)} drafts accepted`,
    ]);
  if (requests.rejected > 0)
    rows.push(["rejected", formatCount(requests.rejected), "longer than the context or the KV cache"]);
  if (requests.unfinished > 0) rows.push(["unfinished", formatCount(requests.unfinished), ""]);
  if (requests.preemptions > 0)
    rows.push([metrics.preemptions.label, formatCount(requests.preemptions), "recomputed for want of KV blocks"]);
  return rows;
}

/** The bill per token, under the three ways to lay it on tokens, and the price it stands on. */
function costRows({ usdPerHour, usdPerMillionOutputTokens, usdPerMillionTokens, price, divided }: Cost): string[][] {
  const { usdPerMillionInputTokens: input, usdPerMillionOutputTokens: output, promptTimeShare } = divided;
  const rows = [
    ["cost", formatDollars(usdPerMillionOutputTokens), `per million output tokens at ${formatDollars(usdPerHour)}/h`],
    ["", formatDollars(usdPerMillionTokens), "per million tokens, input and output alike"],
  ];
  if (input !== null)
    rows.push([
      "",
      formatDollars(input),
      `per million input tokens and ${formatDollars(output)} output: prompts take ${formatPercent(promptTimeShare)} of step time`,
    ]);
  return [...rows, ["price", formatDollars(price.usdPerDeviceHour), `per device and hour: ${price.source}`]];
}

function expertRows(forecast: Forecast): string[][] {
  const { experts, cache } = forecast;
  const rows: string[][] = [];
  if (experts !== null)
    rows.push([
      "expert load imbalance",
      formatNumber(experts.imbalance, 4),
      "heaviest / mean rank, mean over steps and layers",
    ]);
  const hits = metrics.expertCacheHit.of(forecast);
  if (cache !== null && hits !== null)
    rows.push([
      "expert cache hit rate",
      formatPercent(hits, 2),
      cache.reference === null
        ? cache.policy
        : `${cache.policy}; optimum (Belady) ${formatPercent(cache.reference.belady, 2)}, best fixed set ${formatPercent(cache.reference.bestStatic, 2)}`,
    ]);
  return rows;
}
