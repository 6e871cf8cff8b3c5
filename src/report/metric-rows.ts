import type { Forecast } from "../forecast/forecast.ts";
import { type LatencyStats, latencyStatistics, type Percentile, percentileLevels } from "../metrics/latency-figures.ts";
import type { MetricUnit } from "../metrics/metric.ts";
import { metricEntries } from "../metrics/metrics.ts";
import { latencyMetrics } from "../sim/outcome/request-latencies.ts";
import { timeComponents } from "../sim/result.ts";
import { handoverRows, modelCacheRows, poolRows, scalingRows } from "./pool-rows.ts";

/** One number of a forecast with its unit; null where the forecast has none. */
export interface MetricRow {
  readonly metric: string;
  readonly value: number | null;
  readonly unit: string;
  /** `few samples` for a percentile that its rows `_low` and `_high` must be read with; else empty. */
  readonly mark: "few samples" | "";
}

const isPercentile = (part: string): part is Percentile => part in percentileLevels;

/** Units as rows write them. */
export const rowUnit = (unit: MetricUnit): string => (unit === "USD/Mtok" ? "usd/Mtok" : unit);

/** The figures of a forecast as rows for spreadsheets: latencies, metrics, the parts of a whole, then pools. */
export function metricRows(forecast: Forecast): MetricRow[] {
  const rows: MetricRow[] = [];
  const add = (metric: string, value: number | null, unit: string, mark: MetricRow["mark"] = "") =>
    rows.push({ metric, value, unit, mark });
  const overloaded = forecast.load.verdict === "overloaded";
  const addLatencies = (stats: Readonly<Record<string, LatencyStats>>, tag: string) => {
    for (const metric of latencyMetrics)
      for (const p of latencyStatistics) {
        const { [p]: value = null, intervals = {} } = (overloaded ? null : stats[metric]) ?? {};
        const interval = isPercentile(p) ? intervals[p] : undefined;
        add(`${metric}_${p}${tag}`, value, "ms", interval === undefined ? "" : "few samples");
        if (interval === undefined) continue;
        add(`${metric}_${p}_low${tag}`, interval.lowMs, "ms");
        add(`${metric}_${p}_high${tag}`, interval.highMs, "ms");
      }
  };
  addLatencies(forecast.latency, "");
  for (const [name, stats] of Object.entries(forecast.latencyByClass)) addLatencies(stats, `{class:${name}}`);
  for (const [, { row, of, unit }] of metricEntries) add(row, of(forecast), rowUnit(unit));
  for (const component of timeComponents) add(`time_share_${component}`, forecast.timeShare[component], "share");
  for (const { tier, usedBytes, capacityBytes } of forecast.memory.tiers) {
    add(`memory_used{tier:${tier}}`, usedBytes, "B");
    add(`memory_capacity{tier:${tier}}`, capacityBytes, "B");
  }
  for (const pool of forecast.pools ?? [])
    for (const { row, unit, of } of poolRows) add(`${row}{pool:${pool.name}}`, of(pool), unit);
  for (const figures of forecast.scaling ?? [])
    for (const { row, unit, of } of scalingRows)
      add(figures.pool === "" ? row : `${row}{pool:${figures.pool}}`, of(figures), unit);
  if (forecast.handover !== undefined)
    for (const { row, unit, of } of handoverRows) add(row, of(forecast.handover), unit);
  if (forecast.modelCache !== undefined)
    for (const { row, unit, of } of modelCacheRows) add(row, of(forecast.modelCache), unit);
  return rows;
}
