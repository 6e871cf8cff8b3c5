import { comparedMetrics } from "../../forecast/compared-metrics.ts";
import type { Forecast } from "../../forecast/forecast.ts";
import type { MetricUnit } from "../../metrics/metric.ts";
import { metricEntries } from "../../metrics/metrics.ts";

/** A number of a forecast that is kept of every run. */
export interface OutcomeFigure {
  /** As SLOs name it: `ttft.p99`, `throughput`. */
  readonly name: string;
  readonly unit: MetricUnit | "devices" | "USD/h";
  /** null where more is neither better nor worse. */
  readonly better: "lower" | "higher" | null;
  readonly of: (forecast: Forecast) => number | null;
}

const compared = new Set(comparedMetrics.map(({ name }) => name));

/** Figures of a run by column: what it takes, then every metric that forecasts are compared by, then the other ones. */
export const outcomeFigures: readonly OutcomeFigure[] = [
  { name: "devices", unit: "devices", better: "lower", of: ({ deployment }) => deployment.devices },
  { name: "usdPerHour", unit: "USD/h", better: "lower", of: ({ cost }) => cost?.usdPerHour ?? null },
  ...comparedMetrics.map(({ name, unit, better, of }) => ({ name, unit, better, of })),
  ...metricEntries.flatMap(([name, { unit, better, of }]) => (compared.has(name) ? [] : [{ name, unit, better, of }])),
];

const places = new Map(outcomeFigures.map(({ name }, at) => [name, at]));

/** Column of a figure by its name; undefined for unknown ones. */
export const figureAt = (name: string): number | undefined => places.get(name);
