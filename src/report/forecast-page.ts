import type { Forecast } from "../forecast/forecast.ts";
import { adviceLines } from "./advice-lines.ts";
import { changeLabel } from "./baseline-labels.ts";
import { baselineSection } from "./forecast-baseline.ts";
import { latencySection } from "./forecast-latency.ts";
import { modelsSection } from "./forecast-models.ts";
import { poolsSection, roomLines, scalingSection } from "./forecast-pools.ts";
import { rebalanceSection } from "./forecast-rebalance.ts";
import { repetitionsSection } from "./forecast-repetitions.ts";
import { sloSection, throughputSection } from "./forecast-service.ts";
import {
  cacheSection,
  definitionsSection,
  expertsSection,
  inputsSection,
  ledgerSection,
  memorySection,
  timeSections,
} from "./forecast-system.ts";
import { headlineParts, verdictOf } from "./headline.ts";
import { bottleneckLabel, deploymentLine } from "./labels.ts";
import type { Page, PageSection, Tone } from "./page.ts";
import { type SummaryLevel, shows } from "./summary-level.ts";

/** A part of the page; none where the forecast has nothing to say there. */
type Part = (forecast: Forecast, level: SummaryLevel) => readonly PageSection[];

/** The parts in the order of what a reader asks, with the lowest level that shows them. */
const parts: readonly (readonly [Part, SummaryLevel])[] = [
  [sloSection, "compact"],
  [repetitionsSection, "compact"],
  [baselineSection, "compact"],
  [latencySection, "compact"],
  [throughputSection, "compact"],
  [modelsSection, "compact"],
  [poolsSection, "compact"],
  [scalingSection, "compact"],
  [bottleneckSection, "compact"],
  [timeSections, "standard"],
  [expertsSection, "standard"],
  [rebalanceSection, "standard"],
  [cacheSection, "standard"],
  [memorySection, "standard"],
  [ledgerSection, "standard"],
  [inputsSection, "standard"],
  [definitionsSection, "full"],
  [closingSection, "compact"],
];

/** A forecast, ready to be shown at a level. */
export function forecastPage(forecast: Forecast, level: SummaryLevel): Page {
  const { scenario, deployment, seed, moecastVersion, interrupted } = forecast;
  const { offload } = deployment;
  const cache = offload === null ? "" : `, ${offload.startsWith("by ") ? "experts placed" : "expert cache"} ${offload}`;
  return {
    title: scenario.name,
    aside: `moecast ${moecastVersion}, seed ${seed}`,
    subtitle: [
      { text: scenario.description, quiet: true, only: "terminal" },
      { text: deploymentLine(forecast), only: "terminal" },
      { text: `placement ${deployment.placement}${cache}`, only: "terminal" },
      { text: `Deployment: ${deploymentLine(forecast)}`, only: "markdown" },
      ...(interrupted
        ? [{ text: "Interrupted: figures cover what had happened until then.", only: "markdown" } as const]
        : []),
    ],
    headline: headlineParts(forecast),
    tone: toneOf(forecast),
    notes: [
      { text: `bottleneck: ${bottleneckLabel(forecast)}`, only: "terminal" },
      ...adviceLines(forecast).map((text) => ({ text, only: "terminal" }) as const),
      ...roomLines(forecast).map((text) => ({ text, tone: "warn", only: "terminal" }) as const),
      ...(interrupted
        ? [{ text: "interrupted: figures cover what had happened until then", tone: "warn", only: "terminal" } as const]
        : []),
    ],
    sections: parts.filter(([, from]) => shows(level, from)).flatMap(([part]) => part(forecast, level)),
  };
}

const toneOf = (forecast: Forecast): Tone =>
  forecast.interrupted ? "warn" : verdictOf(forecast).startsWith("FAIL") ? "bad" : "good";

/** What limits the deployment, and what helped; on a terminal it stands below the headline. */
function bottleneckSection(forecast: Forecast): PageSection[] {
  return [
    {
      kind: "text",
      only: "markdown",
      line: { text: `Bottleneck: ${bottleneckLabel(forecast)}.` },
      items: [...adviceLines(forecast), ...roomLines(forecast)],
    },
  ];
}

const failuresNamed = 4;

/** The verdict once more, with what failed by name. */
function closingSection(forecast: Forecast): PageSection[] {
  const named = `${forecast.scenario.name}: ${verdictOf(forecast)}`;
  const failed = failures(forecast);
  const more = failed.length > failuresNamed ? ` and ${failed.length - failuresNamed} more` : "";
  const list = failed.length === 0 ? "" : `: ${failed.slice(0, failuresNamed).join(", ")}${more}`;
  return [{ kind: "text", only: "terminal", line: { text: `${named}${list}`, strong: true, tone: toneOf(forecast) } }];
}

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
