import { formatCount, formatDollars, formatNumber, formatPercent } from "../../core/units.ts";
import type { Forecast } from "../../forecast/forecast.ts";
import { overridesOf } from "../../forecast/overrides.ts";
import { sloSection } from "../forecast-service.ts";
import { ledgerSection } from "../forecast-system.ts";
import { verdictOf } from "../headline.ts";
import { bottleneckLabel, deploymentLine, milliseconds } from "../labels.ts";
import { type Choice, choicesContent } from "./choices.ts";
import { type ReportSection, reportPage } from "./document.ts";
import { charts, forecastReport } from "./forecast-report.ts";
import { element } from "./markup.ts";
import { sectionsHtml } from "./page-html.ts";
import { commandsOf } from "./parts/commands-part.ts";
import { latencyCharts } from "./parts/latency-charts.ts";
import { percentileText } from "./parts/percentile-text.ts";
import { timeCharts } from "./parts/time-charts.ts";
import { verdictSentence } from "./parts/verdict-sentence.ts";

/** Results as one page: a run on its own has every chart; several stand beside each other, each in short. */
export function forecastsReport(forecasts: readonly Forecast[]): string {
  const [only] = forecasts;
  return forecasts.length === 1 && only !== undefined ? forecastReport(only) : severalReport(forecasts);
}

const columns = [
  { header: "run", right: false },
  { header: "verdict", right: false },
  { header: "devices", right: true },
  { header: "tokens/s", right: true },
  { header: "per device", right: true },
  { header: "per user", right: true },
  { header: "TTFT p50", right: true },
  { header: "TTFT p99", right: true },
  { header: "TPOT mean", right: true },
  { header: "$/Mtok", right: true },
  { header: "hits", right: true },
] as const;

function severalReport(forecasts: readonly Forecast[]): string {
  const names = namesOf(forecasts);
  const failed = forecasts.filter((forecast) => verdictSentence(forecast).tone === "bad").length;
  const sections: ReportSection[] = [
    {
      id: "choices",
      title: "Side by side",
      content: choicesContent({
        name: "Runs",
        columns,
        choices: forecasts.map((forecast, i) => choiceOf(forecast, names[i]!, i)),
        caption: `${formatCount(forecasts.length)} runs, users at their median TPOT.`,
      }),
    },
    ...forecasts.map((forecast, i): ReportSection => {
      const { text, tone } = verdictSentence(forecast);
      return {
        id: `run-${i + 1}`,
        title: names[i]!,
        content: [
          element("p", { class: `verdict ${tone}` }, text),
          element("p", { class: "quiet" }, deploymentLine(forecast)),
          element("p", {}, `Bottleneck: ${bottleneckLabel(forecast)}.`),
          charts([...latencyCharts(forecast), ...timeCharts(forecast)]),
          sectionsHtml(sloSection(forecast)),
          element(
            "details",
            {},
            element("summary", {}, "Fidelity ledger"),
            sectionsHtml(ledgerSection(forecast, "full"), "Fidelity ledger"),
          ),
          element("pre", { tabindex: 0 }, commandsOf(forecast)),
        ],
      };
    }),
  ];
  return reportPage({
    title: `${formatCount(forecasts.length)} forecasts`,
    subtitle: [[...new Set(forecasts.map(({ scenario }) => scenario.name))].join(", ")],
    verdict: element(
      "p",
      { class: `verdict ${failed === 0 ? "good" : "bad"}` },
      failed === 0
        ? "None of them misses an SLO."
        : `${formatCount(failed)} of ${formatCount(forecasts.length)} miss an SLO or cannot keep up with their load.`,
    ),
    sections,
    results: forecasts,
  });
}

/** Scenarios by name; runs of one scenario by what is laid over it, and by number where even that is the same. */
function namesOf(forecasts: readonly Forecast[]): string[] {
  const named = forecasts.map((forecast) => {
    const { scenario } = forecast;
    const alone = forecasts.filter((other) => other.scenario.name === scenario.name).length === 1;
    const laid = overridesOf(forecast).join(", ");
    return alone || laid === "" ? scenario.name : `${scenario.name} with ${laid}`;
  });
  return named.map((name, i) => (named.indexOf(name) === named.lastIndexOf(name) ? name : `${name} (${i + 1})`));
}

function choiceOf(forecast: Forecast, name: string, place: number): Choice {
  const { deployment, throughput: t, latency, load, cost, cache } = forecast;
  const told = load.verdict !== "overloaded";
  const perUser = told && latency.tpot.p50 !== null && latency.tpot.p50 > 0 ? 1000 / latency.tpot.p50 : null;
  const ms = (value: number | null): number | null => (told ? value : null);
  const hits = cache === null || cache.accesses === 0 ? null : cache.hits / cache.accesses;
  const usd = cost?.usdPerMillionOutputTokens ?? null;
  const values = [
    null,
    null,
    deployment.devices,
    t.outputTokensPerSecond,
    t.outputTokensPerSecondPerDevice,
    perUser,
    ms(latency.ttft.p50),
    ms(latency.ttft.p99),
    ms(latency.tpot.mean),
    usd,
    hits,
  ];
  const shown = (value: number | null, format: (of: number) => string): string =>
    value === null ? "n/a" : format(value);
  return {
    id: `row-${place + 1}`,
    name,
    perUser,
    perDevice: t.outputTokensPerSecondPerDevice,
    series: forecast.deployment.device,
    tone: verdictSentence(forecast).tone,
    cells: [
      name,
      verdictOf(forecast),
      formatCount(deployment.devices),
      formatNumber(t.outputTokensPerSecond, 4),
      formatNumber(t.outputTokensPerSecondPerDevice, 4),
      shown(perUser, (value) => formatNumber(value)),
      told ? percentileText(latency.ttft, "p50") : "n/a",
      told ? percentileText(latency.ttft, "p99") : "n/a",
      milliseconds(ms(latency.tpot.mean)),
      shown(usd, formatDollars),
      shown(hits, formatPercent),
    ],
    values,
  };
}
