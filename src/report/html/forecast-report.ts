import type { Explanation } from "../../forecast/explain/explanation.ts";
import type { Forecast } from "../../forecast/forecast.ts";
import type { Sensitivity } from "../../forecast/sensitivity/sensitivity.ts";
import { adviceLines } from "../advice-lines.ts";
import { explanationPage } from "../explanation-page.ts";
import { baselineSection } from "../forecast-baseline.ts";
import { latencySection } from "../forecast-latency.ts";
import { modelsSection } from "../forecast-models.ts";
import { poolsSection, roomLines, scalingSection } from "../forecast-pools.ts";
import { rebalanceSection } from "../forecast-rebalance.ts";
import { sloSection, throughputSection } from "../forecast-service.ts";
import {
  cacheSection,
  definitionsSection,
  expertsSection,
  inputsSection,
  ledgerSection,
  memorySection,
} from "../forecast-system.ts";
import { bottleneckLabel, deploymentLine } from "../labels.ts";
import { sensitivitySections } from "../sensitivity-sections.ts";
import type { Chart } from "./charts/chart.ts";
import { type ReportDocument, type ReportSection, reportPage } from "./document.ts";
import { figure } from "./figure.ts";
import { type Child, element } from "./markup.ts";
import { linesHtml, sectionsHtml } from "./page-html.ts";
import { cacheCharts } from "./parts/cache-charts.ts";
import { commandsOf } from "./parts/commands-part.ts";
import { expertCharts } from "./parts/expert-charts.ts";
import { figureCards } from "./parts/figure-cards.ts";
import { latencyCharts } from "./parts/latency-charts.ts";
import { memoryCharts } from "./parts/memory-charts.ts";
import { sensitivityCharts } from "./parts/sensitivity-charts.ts";
import { busyChart, loadCharts, timeCharts } from "./parts/time-charts.ts";
import { verdictSentence } from "./parts/verdict-sentence.ts";

/** A part of the report of one run: where it stands, and what it holds; nothing where the run has nothing to say there. */
interface ReportPart {
  readonly id: string;
  readonly title: string;
  content(forecast: Forecast, further: FurtherRuns): Child;
}

/** What further runs of the scenario told. */
export interface FurtherRuns {
  /** With the scenario file as the next command names it, and what is laid over it. */
  readonly explained?: {
    readonly explanation: Explanation;
    readonly rerun: string;
    readonly settings: readonly string[];
  };
  readonly sensitivity?: Sensitivity;
}

/** Charts in as many columns as there is room for, with what stands beside them; `of` tells equal charts of one page apart. */
export const charts = (drawn: readonly Chart[], beside: Child = null, of = ""): Child =>
  drawn.length === 0
    ? beside
    : element(
        "div",
        { class: "charts" },
        drawn.map((chart) => figure(chart, of)),
        beside === null ? null : element("div", {}, beside),
      );

/** The parts in the order of what readers ask. */
const parts: readonly ReportPart[] = [
  { id: "figures", title: "Headline figures", content: (of) => [figureCards(of), bandLines(of)] },
  {
    id: "slos",
    title: "SLOs and latency",
    content: (of) => [
      sectionsHtml(sloSection(of)),
      sectionsHtml(baselineSection(of, "full")),
      charts(latencyCharts(of)),
      sectionsHtml(latencySection(of)),
    ],
  },
  {
    id: "time",
    title: "Where step time goes",
    content: (of) => [
      element("p", {}, `Bottleneck: ${bottleneckLabel(of)}.`),
      linesHtml([...adviceLines(of), ...roomLines(of)].map((text) => ({ text }))),
      charts(timeCharts(of)),
    ],
  },
  { id: "load", title: "Load over time", content: (of) => [charts(loadCharts(of)), sectionsHtml(scalingSection(of))] },
  {
    id: "pools",
    title: "Pools",
    content: (of) => [sectionsHtml(poolsSection(of), "Pools"), sectionsHtml(modelsSection(of))],
  },
  {
    id: "experts",
    title: "Experts and balance",
    content: (of) => charts(expertCharts(of), [sectionsHtml(expertsSection(of)), sectionsHtml(rebalanceSection(of))]),
  },
  {
    id: "cache",
    title: "Expert cache",
    content: (of) => charts(cacheCharts(of), sectionsHtml(cacheSection(of), "Expert cache")),
  },
  {
    id: "memory",
    title: "Memory",
    content: (of) => [charts(memoryCharts(of)), sectionsHtml(memorySection(of), "Memory")],
  },
  { id: "links", title: "Links and devices", content: (of) => charts(busyChart(of)) },
  { id: "cost", title: "Throughput, cost and energy", content: (of) => sectionsHtml(throughputSection(of)) },
  {
    id: "explanation",
    title: "Where the time of requests goes",
    content: (_, { explained }) =>
      explained === undefined
        ? null
        : sectionsHtml(explanationPage(explained.explanation, explained.rerun, explained.settings).sections),
  },
  {
    id: "sensitivities",
    title: "Sensitivities",
    content: (_, { sensitivity }) =>
      sensitivity === undefined
        ? null
        : charts(sensitivityCharts(sensitivity), sectionsHtml(sensitivitySections(sensitivity))),
  },
  {
    id: "ledger",
    title: "Fidelity ledger",
    content: (of) => sectionsHtml(ledgerSection(of, "full"), "Fidelity ledger"),
  },
  { id: "inputs", title: "Inputs", content: (of) => sectionsHtml(inputsSection(of), "Inputs") },
  { id: "commands", title: "The same again", content: (of) => element("pre", { tabindex: 0 }, commandsOf(of)) },
  { id: "definitions", title: "Definitions", content: () => sectionsHtml(definitionsSection(), "Definitions") },
];

/** What the error bands rest on. */
const bandLines = ({ bands }: Forecast): Child =>
  bands === null || bands.unvalidated === null
    ? null
    : element("p", { class: "warn" }, `Unvalidated: ${bands.unvalidated}.`);

/** A run as a page of its own. */
export function forecastReport(forecast: Forecast, further: FurtherRuns = {}): string {
  const { scenario, seed } = forecast;
  const { text, tone } = verdictSentence(forecast);
  const sections: ReportSection[] = parts.map(({ id, title, content }) => ({
    id,
    title,
    content: content(forecast, further),
  }));
  const document: ReportDocument = {
    title: scenario.name,
    subtitle: [
      scenario.description,
      deploymentLine(forecast),
      placementLine(forecast),
      `moecast ${forecast.moecastVersion}, seed ${seed}`,
    ],
    verdict: element("p", { class: `verdict ${tone}` }, text),
    sections,
    results: forecast,
  };
  return reportPage(document);
}

const placementLine = ({ deployment: { placement, offload } }: Forecast): string =>
  `Placement ${placement}${offload === null ? "" : `, ${offload.startsWith("by ") ? "experts placed" : "expert cache"} ${offload}`}`;
