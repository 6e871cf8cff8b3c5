import { formatCount, formatDollars, formatNumber, formatPercent } from "../../../core/units.ts";
import type { Forecast, Range } from "../../../forecast/forecast.ts";
import { latencies } from "../../../metrics/latencies.ts";
import { metrics } from "../../../metrics/metrics.ts";
import { milliseconds } from "../../labels.ts";
import { element, type Markup } from "../markup.ts";
import { percentileText } from "./percentile-text.ts";

interface Card {
  readonly label: string;
  readonly figure: string;
  /** Error band, or what else stands beside the figure. */
  readonly beside: string;
}

/** The figures that a reader needs first, each with its error band where it has one. */
export function figureCards(forecast: Forecast): Markup {
  return element(
    "ul",
    { class: "cards" },
    cardsOf(forecast).map(({ label, figure, beside }) =>
      element(
        "li",
        {},
        element("span", { class: "label" }, label),
        element("span", { class: "figure" }, figure),
        element("span", { class: "label" }, beside === "" ? "\u00a0" : beside),
      ),
    ),
  );
}

function cardsOf(forecast: Forecast): Card[] {
  const { throughput: t, latency, load, bands, cost, energy, deployment } = forecast;
  const nominal = bands === null ? "" : `${formatPercent(bands.nominal, 0)} band `;
  const range = (of: Range | null | undefined, format: (value: number) => string): string =>
    of == null ? "" : `${nominal}${format(of.low)} to ${format(of.high)}`;
  const inMs = (of: { readonly lowMs: number; readonly highMs: number } | null | undefined) =>
    of == null ? "" : `${nominal}${milliseconds(of.lowMs)} to ${milliseconds(of.highMs)}`;
  const known = bands?.metrics;
  const cards: Card[] = [
    {
      label: "Output tokens/s",
      figure: formatNumber(t.outputTokensPerSecond, 4),
      beside: range(known?.outputTokensPerSecond, (value) => formatNumber(value)),
    },
    {
      label: "Output tokens/s per device",
      figure: formatNumber(t.outputTokensPerSecondPerDevice, 4),
      beside: `${formatNumber(deployment.devices)} ${deployment.devices === 1 ? "device" : "devices"}`,
    },
  ];
  if (load.verdict !== "overloaded") {
    cards.push(
      { label: "TTFT p50", figure: percentileText(latency.ttft, "p50"), beside: inMs(known?.ttft) },
      { label: "TTFT p99", ...tail(forecast, "ttft") },
      { label: "TPOT mean", figure: milliseconds(latency.tpot.mean), beside: inMs(known?.tpot) },
      { label: "TPOT p99", ...tail(forecast, "tpot") },
    );
    const { tpot } = latency;
    if (tpot.p50 !== null && tpot.p50 > 0)
      cards.push({ label: "Tokens/s per user", figure: formatNumber(1000 / tpot.p50), beside: "at the median TPOT" });
  }
  if (t.goodput !== null)
    cards.push({ label: "Goodput", figure: formatPercent(t.goodput), beside: range(known?.goodput, formatPercent) });
  if (cost !== null)
    cards.push({
      label: "$ per million output tokens",
      figure: formatDollars(cost.usdPerMillionOutputTokens),
      beside: range(known?.usdPerMillionOutputTokens, formatDollars),
    });
  if (energy !== null)
    cards.push({
      label: "Energy per output token",
      figure: `${formatNumber(energy.joulesPerOutputToken)} J`,
      beside: `${formatNumber(energy.averageW)} W on average`,
    });
  const hits = metrics.expertCacheHit.of(forecast);
  const { cache } = forecast;
  if (cache !== null && hits !== null)
    cards.push({
      label: "Expert cache hits",
      figure: formatPercent(hits),
      beside:
        cache.reference === null ? cache.policy : `${cache.policy}; optimum ${formatPercent(cache.reference.belady)}`,
    });
  return cards;
}

/** A p99, or where it lies if few samples stand behind it. */
function tail({ latency }: Forecast, metric: "ttft" | "tpot"): Pick<Card, "figure" | "beside"> {
  const { intervals, n } = latency[metric];
  const beside =
    intervals.p99 === undefined ? "" : `few samples: ${latencies[metric].label} of ${formatCount(n)} requests`;
  return { figure: percentileText(latency[metric], "p99"), beside };
}
