import { type Forecast, type LatencyStats, type Percentile, percentileLevels } from "../forecast/forecast.ts";
import { latencyMetrics } from "../sim/outcome/request-latencies.ts";
import { timeComponents } from "../sim/result.ts";

/** One number of a forecast with its unit; null where the forecast has none. */
export interface MetricRow {
  readonly metric: string;
  readonly value: number | null;
  readonly unit: string;
  /** `few samples` for a percentile that its rows `_low` and `_high` must be read with; else empty. */
  readonly mark: "few samples" | "";
}

const parts = ["mean", "p50", "p90", "p95", "p99", "p999", "max"] as const;
const isPercentile = (part: string): part is Percentile => part in percentileLevels;

/** The figures of a forecast as rows, for tables that are read by people or spreadsheets. */
export function metricRows(forecast: Forecast): MetricRow[] {
  const rows: MetricRow[] = [];
  const add = (metric: string, value: number | null, unit: string, mark: MetricRow["mark"] = "") =>
    rows.push({ metric, value, unit, mark });
  const { load } = forecast;
  const overloaded = load.verdict === "overloaded";
  const addLatencies = (stats: Readonly<Record<string, LatencyStats>>, tag: string) => {
    for (const metric of latencyMetrics)
      for (const p of parts) {
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
  const { throughput: t, requests, experts, cache, speculation, kv, cost, energy } = forecast;
  add("output_tokens_per_second", t.outputTokensPerSecond, "tok/s");
  add("output_tokens_per_second_per_device", t.outputTokensPerSecondPerDevice, "tok/s");
  add("requests_per_second", t.requestsPerSecond, "req/s");
  add("goodput", t.goodput, "share");
  add("interrupted", forecast.interrupted ? 1 : 0, "flag");
  add("overloaded", overloaded ? 1 : 0, "flag");
  add("too_short", load.verdict === "tooShort" ? 1 : 0, "flag");
  add("requests_needed", load.requestsNeeded, "requests");
  add("requests", requests.total, "requests");
  add("completed", requests.completed, "requests");
  add("rejected", requests.rejected, "requests");
  add("unfinished", requests.unfinished, "requests");
  add("preemptions", requests.preemptions, "requests");
  add("sustained_requests_per_second", load.sustainedRequestsPerSecond, "req/s");
  add("sustained_half_width", load.sustainedHalfWidth, "req/s");
  add("imbalance", experts?.imbalance ?? null, "ratio");
  add("expert_skew", experts?.expertSkew ?? null, "ratio");
  add("distinct_experts_per_step", experts?.distinctExpertsPerStep ?? null, "experts");
  add("expert_cache_hit", cache === null || cache.accesses === 0 ? null : cache.hits / cache.accesses, "share");
  add("expert_cache_hit_optimum", cache?.reference?.belady ?? null, "share");
  add("expert_cache_hit_best_static", cache?.reference?.bestStatic ?? null, "share");
  add("kv_peak", kv.peakShare, "share");
  add("prefix_hit", kv.prefixHitRate, "share");
  add("acceptance_length", speculation?.acceptanceLength ?? null, "tokens");
  add("cost", cost?.usdPerMillionOutputTokens ?? null, "usd/Mtok");
  add("cost_all_tokens", cost?.usdPerMillionTokens ?? null, "usd/Mtok");
  add("cost_input", cost?.divided.usdPerMillionInputTokens ?? null, "usd/Mtok");
  add("cost_output", cost?.divided.usdPerMillionOutputTokens ?? null, "usd/Mtok");
  add("energy", energy?.joulesPerOutputToken ?? null, "J/tok");
  for (const component of timeComponents) add(`time_share_${component}`, forecast.timeShare[component], "share");
  for (const { tier, usedBytes, capacityBytes } of forecast.memory.tiers) {
    add(`memory_used{tier:${tier}}`, usedBytes, "B");
    add(`memory_capacity{tier:${tier}}`, capacityBytes, "B");
  }
  return rows;
}
