import { enoughSamples } from "../../core/quantile.ts";
import type { Scenario } from "../../scenario/parse-scenario.ts";
import type { SloMetricName } from "../../scenario/slo-metrics.ts";
import type { Slo } from "../../scenario/slo-section.ts";
import { type LatencyMetric, latencyMetrics } from "../../sim/outcome/request-latencies.ts";
import type { AdviceUnit, Forecast, LatencyStats } from "../forecast.ts";

/** What a change is meant to improve. */
export interface AdviceMetric {
  readonly name: string;
  readonly unit: AdviceUnit;
  readonly lowerIsBetter: boolean;
  /** Whether it is the time between tokens, in which nobody queues. */
  readonly betweenTokens: boolean;
  of(forecast: Forecast): number | null;
}

const percentiles = [
  ["p999", 0.999, "p99.9"],
  ["p99", 0.99, "p99"],
  ["p95", 0.95, "p95"],
  ["p90", 0.9, "p90"],
  ["p50", 0.5, "p50"],
] as const;
/** Samples that a mean of latencies stands on, at least. */
const meanSamplesMin = 5;

/**
 * A latency at the largest percentile up to `wanted` that so few samples can tell, else its mean; null where they tell
 * nothing.
 */
function latencyMetric(metric: LatencyMetric, requestClass: string | null, wanted: number, sample: Forecast) {
  const stats = (forecast: Forecast): LatencyStats | undefined =>
    requestClass === null ? forecast.latency[metric] : forecast.latencyByClass[requestClass]?.[metric];
  const samples = stats(sample)?.n ?? 0;
  const found = percentiles.find(([, p]) => p <= wanted && enoughSamples(samples, p));
  if (found === undefined && samples < meanSamplesMin) return null;
  const [key, , label] = found ?? ["mean", 0, "mean"];
  return {
    name: `${metric === "queue" ? metric : metric.toUpperCase()}${requestClass === null ? "" : ` of ${requestClass}`} ${label}`,
    unit: "ms",
    lowerIsBetter: true,
    betweenTokens: metric === "tpot" || metric === "itl",
    of: (forecast) => stats(forecast)?.[key] ?? null,
  } as const satisfies AdviceMetric;
}

export const tokenRate: AdviceMetric = {
  name: "output tokens/s",
  unit: "number",
  lowerIsBetter: false,
  betweenTokens: false,
  of: ({ throughput }) => throughput.outputTokensPerSecond,
};

/** Metrics of SLOs that are one figure of a forecast. */
const scalars: Readonly<
  Record<Exclude<SloMetricName, LatencyMetric>, { unit: AdviceUnit; name: string; of(f: Forecast): number | null }>
> = {
  goodput: { name: "goodput", unit: "share", of: ({ throughput }) => throughput.goodput },
  throughput: tokenRate,
  throughputPerDevice: {
    name: "output tokens/s per device",
    unit: "number",
    of: ({ throughput }) => throughput.outputTokensPerSecondPerDevice,
  },
  requestRate: { name: "requests/s", unit: "number", of: ({ throughput }) => throughput.requestsPerSecond },
  expertCacheHit: {
    name: "expert hits",
    unit: "share",
    of: ({ cache }) => (cache === null || cache.accesses === 0 ? null : cache.hits / cache.accesses),
  },
  imbalance: { name: "imbalance", unit: "number", of: ({ experts }) => experts?.imbalance ?? null },
  costUsdPerMtok: { name: "$/Mtok", unit: "number", of: ({ cost }) => cost?.usdPerMillionOutputTokens ?? null },
  kvPeak: { name: "KV blocks in use", unit: "share", of: ({ kv }) => kv.peakShare },
  preemptions: { name: "preemptions", unit: "number", of: ({ kv }) => kv.preemptions },
  rejected: { name: "rejected requests", unit: "number", of: ({ requests }) => requests.rejected },
};

/**
 * What a change should improve: the metric of the first SLO that fails; of an overloaded deployment its token rate; else
 * the median TPOT, or the median TTFT where requests emit a single token or the front ends are the bottleneck. `sample` is a run as long as those that try.
 */
export function adviceMetric(scenario: Scenario, forecast: Forecast, sample: Forecast): AdviceMetric {
  const overloaded = forecast.load.verdict === "overloaded";
  const failing = (level: Slo["level"]) =>
    (scenario.slo?.thresholds ?? []).find((slo, i) => slo.level === level && forecast.slos[i]?.passed === false);
  const slo = failing("error") ?? failing("warn");
  const wanted = slo === undefined ? null : metricOf(slo, sample);
  // Latencies of an overloaded deployment are the length of its queue.
  if (wanted !== null && !(overloaded && wanted.unit === "ms")) return wanted;
  if (overloaded) return tokenRate;
  // Front ends hold up nobody who has his first token.
  const tpot = forecast.bottleneck.component === "frontEnd" ? null : latencyMetric("tpot", null, 0.5, sample);
  return tpot ?? latencyMetric("ttft", null, 0.5, sample) ?? tokenRate;
}

function metricOf({ target, expression }: Slo, sample: Forecast): AdviceMetric | null {
  const { metric, requestClass } = target;
  const { aggregation, comparator } = expression;
  const latency = latencyMetrics.find((name) => name === metric);
  if (latency !== undefined) {
    const wanted = aggregation.kind === "percentile" ? aggregation.percent / 100 : aggregation.kind === "max" ? 1 : 0.5;
    return latencyMetric(latency, requestClass, wanted, sample);
  }
  const lowerIsBetter = comparator === "<" || comparator === "<=";
  return { ...scalars[metric as keyof typeof scalars], lowerIsBetter, betweenTokens: false };
}
