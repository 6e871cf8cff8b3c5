import type { Forecast } from "../forecast/forecast.ts";
import { latencies } from "../metrics/latencies.ts";
import { type LatencyStats, type Percentile, percentileLevels, settledLatency } from "../metrics/latency-figures.ts";
import type { MetricUnit } from "../metrics/metric.ts";
import { type MetricName, metricEntries } from "../metrics/metrics.ts";
import { type LatencyMetric, latencyMetrics } from "../sim/outcome/request-latencies.ts";
import { timeComponents } from "../sim/result.ts";
import type { Exporter } from "./exporter.ts";
import { type Labels, type MetricFamily, type MetricSample, openMetricsText } from "./openmetrics-text.ts";
import { distinctNames } from "./scenario-names.ts";

/** The names that vLLM gives its latencies, without its prefix. */
const latencyNames: Readonly<Record<LatencyMetric, string>> = {
  ttft: "time_to_first_token_seconds",
  tpot: "request_time_per_output_token_seconds",
  itl: "inter_token_latency_seconds",
  e2e: "e2e_request_latency_seconds",
  queue: "request_queue_time_seconds",
};

/** Rows whose names do not stand for themselves among metrics of other programs. */
const fullNames: Readonly<Partial<Record<MetricName, string>>> = {
  completed: "requests_completed",
  rejected: "requests_rejected",
  unfinished: "requests_unfinished",
  preemptions: "num_preemptions",
  kvPeak: "kv_cache_usage_peak",
  prefixHit: "prefix_cache_hit",
  rebalanceShare: "rebalance_time",
};

/** Units as names end; null for plain numbers. */
const units: Readonly<Record<MetricUnit, string | null>> = {
  ms: "seconds",
  "tok/s": "tokens_per_second",
  "req/s": "requests_per_second",
  share: "ratio",
  ratio: "ratio",
  B: "bytes",
  "USD/Mtok": "usd_per_million_tokens",
  "J/tok": "joules_per_token",
  requests: null,
  tokens: "tokens",
  experts: null,
  maps: null,
  flag: null,
};

/** A forecast with the labels that all its samples have. */
interface Labelled {
  readonly forecast: Forecast;
  readonly labels: Labels;
}

/** A family with one value for each forecast, or several; null values are left out. */
function gauge(
  name: string,
  unit: string | null,
  help: string,
  all: readonly Labelled[],
  of: (forecast: Forecast) => readonly (readonly [Labels, number | null])[],
): MetricFamily {
  const samples = all.flatMap(({ forecast, labels }) =>
    of(forecast).flatMap(([more, value]) => (value === null ? [] : [{ labels: { ...labels, ...more }, value }])),
  );
  return { name: `moecast_${name}`, type: "gauge", unit, help, samples };
}

/** A summary in seconds: percentiles of enough samples, the maximum as quantile 1. */
function summaryOf(stats: LatencyStats, labels: Labels): MetricSample[] {
  if (stats.mean === null) return [];
  const quantiles: [number, number | null][] = Object.entries(percentileLevels).map(([name, level]) => [
    level,
    settledLatency(stats, name as Percentile),
  ]);
  return [
    ...[...quantiles, [1, stats.max] as const].flatMap(([level, valueMs]) =>
      valueMs === null ? [] : [{ labels: { ...labels, quantile: String(level) }, value: valueMs / 1e3 }],
    ),
    { part: "sum", labels, value: (stats.mean * stats.n) / 1e3 },
    { part: "count", labels, value: stats.n },
  ];
}

/** A latency over all classes and, where there are several, of each. An overloaded deployment has none. */
const summary = (metric: LatencyMetric, all: readonly Labelled[]): MetricFamily => ({
  name: `moecast_${latencyNames[metric]}`,
  type: "summary",
  unit: "seconds",
  help: latencies[metric].definition,
  samples: all.flatMap(({ forecast, labels }) => {
    if (forecast.load.verdict === "overloaded") return [];
    const classes = Object.entries(forecast.latencyByClass);
    return [
      ...summaryOf(forecast.latency[metric], labels),
      ...(classes.length < 2 ? [] : classes).flatMap(([name, stats]) =>
        summaryOf(stats[metric], { ...labels, class: name }),
      ),
    ];
  }),
});

const metricGauges = (all: readonly Labelled[]): MetricFamily[] =>
  metricEntries.map(([metric, { row, unit, definition, of }]) => {
    const name = fullNames[metric] ?? row;
    const ending = units[unit];
    const full = ending === null || name.includes(ending) ? name : `${name}_${ending}`;
    return gauge(
      full,
      ending !== null && `moecast_${full}`.endsWith(`_${ending}`) ? ending : null,
      definition,
      all,
      (forecast) => [[{}, of(forecast)]],
    );
  });

const slos = (all: readonly Labelled[]): MetricFamily =>
  gauge("slo_passed", null, "1 where the objective holds, 0 where it fails", all, (forecast) =>
    forecast.slos.map(({ metric, expression, level, passed }) => [{ metric, expression, level }, passed ? 1 : 0]),
  );

const tiers = (all: readonly Labelled[], name: string, help: string, of: "usedBytes" | "capacityBytes") =>
  gauge(name, "bytes", help, all, ({ memory }) => memory.tiers.map((tier) => [{ tier: tier.tier }, tier[of]]));

const further = (all: readonly Labelled[]): MetricFamily[] => [
  gauge(
    "run_duration_seconds",
    "seconds",
    "simulated time from the first arrival to the last event",
    all,
    (forecast) => [[{}, forecast.throughput.durationS]],
  ),
  gauge("power_watts", "watts", "mean power of the devices over the run", all, ({ energy }) => [
    [{}, energy?.averageW ?? null],
  ]),
  gauge("step_time_ratio", "ratio", "share of step time, by what it is spent on", all, ({ timeShare }) =>
    timeComponents.map((component) => [{ component }, timeShare[component]]),
  ),
  tiers(all, "memory_used_bytes", "memory in use, by tier", "usedBytes"),
  tiers(all, "memory_capacity_bytes", "memory there is, by tier", "capacityBytes"),
];

/** What was forecast, and by which version. */
const info = (all: readonly Labelled[]): MetricFamily => ({
  name: "moecast_forecast",
  type: "info",
  unit: null,
  help: "a forecast by simulation, not a measurement",
  samples: all.map(({ forecast: { moecastVersion, seed, deployment, scenario }, labels }) => ({
    part: "info",
    labels: { ...labels, engine: deployment.engine, seed: String(seed), file: scenario.file, version: moecastVersion },
    value: 1,
  })),
});

/** Figures of forecasts in base units, named as vLLM names its own. */
export const openmetricsExport: Exporter = {
  appends: false,
  reportsFailures: false,
  render: (forecasts) => {
    const names = distinctNames(forecasts.map(({ scenario }) => scenario.name));
    const all = forecasts.map((forecast, i) => ({
      forecast,
      labels: { scenario: names[i]!, model: forecast.deployment.model, device: forecast.deployment.device },
    }));
    return openMetricsText([
      info(all),
      ...latencyMetrics.map((metric) => summary(metric, all)),
      ...metricGauges(all),
      slos(all),
      ...further(all),
    ]);
  },
};
