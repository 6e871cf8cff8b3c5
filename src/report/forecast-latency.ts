import { formatCount, formatNumber, formatPercent } from "../core/units.ts";
import type { Forecast } from "../forecast/forecast.ts";
import { latencies } from "../metrics/latencies.ts";
import type { LatencyStats } from "../metrics/latency-figures.ts";
import { loadText, sustainedText } from "../sim/outcome/load/load-text.ts";
import { latencyMetrics } from "../sim/outcome/request-latencies.ts";
import {
  bandBasisLabel,
  bandLabels,
  markNote,
  milliseconds,
  narrowingLabel,
  percentileLabel,
  unvalidatedLabel,
} from "./labels.ts";
import { noteFor, type PageColumn, type PageLine, type PageRow, type PageSection } from "./page.ts";

/** Statistics of a latency as columns; narrow terminals do without some, the most dispensable first. */
const statistics: readonly (readonly [PageColumn, (stats: LatencyStats) => string])[] = [
  [
    { header: "mean", only: "terminal" },
    ({ mean, meanHalfWidth }) =>
      meanHalfWidth === null ? milliseconds(mean) : `${milliseconds(mean)} ± ${milliseconds(meanHalfWidth)}`,
  ],
  [{ header: "mean", only: "markdown" }, ({ mean }) => milliseconds(mean)],
  [{ header: "p50" }, (stats) => percentileLabel(stats, "p50")],
  [{ header: "p90", dispensable: 4 }, (stats) => percentileLabel(stats, "p90")],
  [{ header: "p95", dispensable: 1, only: "terminal" }, (stats) => percentileLabel(stats, "p95")],
  [{ header: "p99" }, (stats) => percentileLabel(stats, "p99")],
  [{ header: "p99.9", dispensable: 2, only: "terminal" }, (stats) => percentileLabel(stats, "p999")],
  [{ header: "max", dispensable: 3 }, ({ max }) => milliseconds(max)],
  [{ header: "n" }, ({ n }) => formatCount(n)],
];

/** Latencies over all requests and, on a terminal, by class; an overloaded deployment has none. */
export function latencySection(forecast: Forecast): PageSection[] {
  const { load, latency } = forecast;
  const table = {
    kind: "table",
    title: "Latency",
    titleOnly: "terminal",
    columns: [
      { header: "", headerAlone: "latency" },
      ...statistics.map(([column]): PageColumn => ({ ...column, align: "right" })),
    ],
  } as const;
  if (load.verdict === "overloaded")
    return [{ ...table, rows: [], before: [...overloadLines(forecast), ...bandLines(forecast)] }];
  const row = (label: string, stats: LatencyStats) => [label, ...statistics.map(([, cell]) => cell(stats))];
  const byClass = classLatencies(forecast);
  const tooShort = load.verdict === "tooShort";
  const all = latencyMetrics.map((metric) => latency[metric]);
  return [
    {
      ...table,
      verdict: loadText(load),
      rows: [
        ...latencyMetrics.map((metric) => row(latencies[metric].label, latency[metric])),
        ...byClass.map(([label, stats]): PageRow => ({ cells: row(label, stats), only: "terminal" })),
      ],
      before: tooShort ? [{ text: `${capitalised(loadText(load))}.`, only: "markdown" }] : [],
      after: [
        ...noteFor("terminal", markNote([...all, ...byClass.map(([, stats]) => stats)])),
        ...noteFor("markdown", markNote(all)),
        ...bandLines(forecast),
      ],
    },
  ];
}

const capitalised = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

function overloadLines({ load }: Forecast): PageLine[] {
  const offered = `offered ${formatNumber(load.offeredRequestsPerSecond ?? 0)} requests/s`;
  const sustains = `sustains ${sustainedText(load) ?? "an unknown rate"}`;
  return [
    { text: `n/a: overloaded, ${offered}, ${sustains}`, only: "terminal" },
    { text: load.reason, quiet: true, only: "terminal" },
    { text: `Overloaded: ${load.reason}. Latencies are n/a.`, only: "markdown" },
  ];
}

/** Latencies of each class where there are several; gaps between tokens are not kept per class. */
function classLatencies({ latencyByClass }: Forecast): (readonly [string, LatencyStats])[] {
  const classes = Object.entries(latencyByClass);
  if (classes.length < 2) return [];
  return classes.flatMap(([name, stats]) =>
    latencyMetrics
      .filter((metric) => metric !== "queue" && stats[metric].n > 0)
      .map((metric) => [`${latencies[metric].label} ${name}`, stats[metric]] as const),
  );
}

/** Where measured values would lie, whether anything near was measured, and how to know better. */
function bandLines(forecast: Forecast): PageLine[] {
  const { bands } = forecast;
  if (bands === null) return [];
  const labels = bandLabels(forecast).join(", ");
  const nominal = `${formatPercent(bands.nominal, 0)} band`;
  const narrowing = narrowingLabel(forecast);
  return [
    ...unvalidatedLines(forecast),
    ...(labels === "" ? [] : noteFor("terminal", `${nominal}: ${labels}`)),
    ...(labels === "" ? [] : noteFor("markdown", `${nominal} (${bandBasisLabel(bands)}): ${labels}.`)),
    ...noteFor("terminal", narrowing),
    ...(narrowing === "" ? [] : noteFor("markdown", `${capitalised(narrowing)}.`)),
  ];
}

function unvalidatedLines(forecast: Forecast): PageLine[] {
  const text = unvalidatedLabel(forecast);
  return text === ""
    ? []
    : [
        { text, tone: "warn", only: "terminal" },
        { text: `${capitalised(text)}.`, only: "markdown" },
      ];
}
