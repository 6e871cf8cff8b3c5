import { canonicalJson } from "../core/json.ts";
import { escapeUnsafe } from "../core/printable.ts";
import type { Forecast } from "../forecast/forecast.ts";
import { type LatencyStats, latencyStatistics, type Percentile, percentileLevels } from "../metrics/latency-figures.ts";
import type { MetricUnit } from "../metrics/metric.ts";
import { metricEntries } from "../metrics/metrics.ts";
import { latencyMetrics } from "../sim/outcome/request-latencies.ts";
import type { Exporter } from "./exporter.ts";
import { distinctNames } from "./scenario-names.ts";

/** A metric of Bencher; the ends of its interval where it has one. */
interface BmfMetric {
  readonly value: number;
  readonly lower_value?: number;
  readonly upper_value?: number;
}

/** Slugs of measures end with their unit: the format has no place for it. */
const units: Readonly<Record<MetricUnit, string>> = {
  ms: "ms",
  "tok/s": "",
  "req/s": "",
  share: "",
  ratio: "",
  B: "",
  "USD/Mtok": "usd-per-mtok",
  "J/tok": "j-per-token",
  requests: "",
  tokens: "",
  experts: "",
  maps: "",
  flag: "",
};

const slug = (row: string, unit: MetricUnit): string =>
  `${row.replaceAll("_", "-")}${units[unit] === "" ? "" : `-${units[unit]}`}`;

const isPercentile = (part: string): part is Percentile => part in percentileLevels;

function latencyMetric(stats: LatencyStats, statistic: (typeof latencyStatistics)[number]): BmfMetric | null {
  const value = stats[statistic];
  if (value === null) return null;
  if (isPercentile(statistic)) {
    const interval = stats.intervals[statistic];
    if (interval === undefined) return { value };
    return {
      value,
      lower_value: interval.lowMs,
      ...(interval.highMs === null ? {} : { upper_value: interval.highMs }),
    };
  }
  const half = statistic === "mean" ? stats.meanHalfWidth : null;
  return half === null ? { value } : { value, lower_value: Math.max(0, value - half), upper_value: value + half };
}

/** Latencies by slug; those of an overloaded deployment are left out. */
const latencyMeasures = (stats: Forecast["latency"]): [string, BmfMetric][] =>
  latencyMetrics.flatMap((metric) =>
    latencyStatistics.flatMap((statistic): [string, BmfMetric][] => {
      const found = latencyMetric(stats[metric], statistic);
      return found === null ? [] : [[slug(`${metric}_${statistic}`, "ms"), found]];
    }),
  );

const figures = (forecast: Forecast): [string, BmfMetric][] =>
  metricEntries.flatMap(([, { row, unit, of }]): [string, BmfMetric][] => {
    const value = of(forecast);
    return value === null ? [] : [[slug(row, unit), { value }]];
  });

/** Names of benchmarks have at most 1,024 characters, with what tells equal ones apart. */
const nameMax = 1000;

/** Bencher Metric Format: a benchmark for each scenario, and one for each of its classes where it has several. */
export const bmfExport: Exporter = {
  appends: false,
  reportsFailures: false,
  render: (forecasts) => {
    const benchmarks = forecasts.flatMap((forecast): [string, [string, BmfMetric][]][] => {
      const { name } = forecast.scenario;
      if (forecast.load.verdict === "overloaded") return [[name, figures(forecast)]];
      const classes = Object.entries(forecast.latencyByClass);
      return [
        [name, [...latencyMeasures(forecast.latency), ...figures(forecast)]],
        ...(classes.length < 2 ? [] : classes).map(([of, stats]): [string, [string, BmfMetric][]] => [
          `${name}, class ${of}`,
          latencyMeasures(stats),
        ]),
      ];
    });
    const names = distinctNames(
      benchmarks.map(([name]) => name),
      nameMax,
    );
    const document = Object.fromEntries(benchmarks.map(([, measures], i) => [names[i]!, Object.fromEntries(measures)]));
    return `${escapeUnsafe(canonicalJson(document, 2))}\n`;
  },
};
