import { enoughSamples } from "../../core/quantile.ts";
import type { Figures } from "../../metrics/figures.ts";
import { latencies } from "../../metrics/latencies.ts";
import type { LatencyStats } from "../../metrics/latency-figures.ts";
import type { Metric, SloAggregation } from "../../metrics/metric.ts";
import { metrics } from "../../metrics/metrics.ts";
import type { ScalarName } from "../../metrics/slo-metrics.ts";
import type { Scenario } from "../../scenario/parse-scenario.ts";
import type { Slo } from "../../scenario/slo-section.ts";
import { type LatencyMetric, latencyMetrics } from "../../sim/outcome/request-latencies.ts";
import type { AdviceUnit, Forecast } from "../forecast.ts";

/** What a change is meant to improve. */
export interface AdviceMetric {
  readonly name: string;
  /** As comparisons of forecasts name it, such as `tpot.p50`; null where they do not have it. */
  readonly compared: string | null;
  readonly unit: AdviceUnit;
  readonly lowerIsBetter: boolean;
  /** Whether it is the time between tokens, in which nobody queues. */
  readonly betweenTokens: boolean;
  readonly of: (figures: Figures) => number | null;
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
export function latencyMetric(metric: LatencyMetric, requestClass: string | null, wanted: number, sample: Forecast) {
  const stats = (forecast: Figures): LatencyStats | undefined =>
    requestClass === null ? forecast.latency[metric] : forecast.latencyByClass[requestClass]?.[metric];
  const samples = stats(sample)?.n ?? 0;
  const found = percentiles.find(([, p]) => p <= wanted && enoughSamples(samples, p));
  if (found === undefined && samples < meanSamplesMin) return null;
  const [key, , label] = found ?? ["mean", 0, "mean"];
  return {
    name: `${latencies[metric].label}${requestClass === null ? "" : ` of ${requestClass}`} ${label}`,
    compared: requestClass === null ? `${metric}.${key}` : null,
    unit: "ms",
    lowerIsBetter: true,
    betweenTokens: latencies[metric].betweenTokens,
    of: (forecast) => stats(forecast)?.[key] ?? null,
  } as const satisfies AdviceMetric;
}

/** A metric that is one figure of a forecast. */
function scalarMetric(name: ScalarName, lowerIsBetter: boolean): AdviceMetric {
  const { label, unit, of }: Metric = metrics[name];
  return {
    name: label,
    compared: name,
    unit: unit === "share" ? "share" : "number",
    lowerIsBetter,
    betweenTokens: false,
    of,
  };
}

export const tokenRate = scalarMetric("throughput", false);

/**
 * What a change should improve: the metric of the first SLO that fails; of an overloaded deployment its token rate; else
 * the median TPOT, or the median TTFT where requests emit a single token or the front ends are the bottleneck. `sample` is a run as long as those that try.
 */
export function adviceMetric(scenario: Scenario, forecast: Forecast, sample: Forecast): AdviceMetric {
  const overloaded = forecast.load.verdict === "overloaded";
  const failing = (level: Slo["level"]) =>
    (scenario.slo?.thresholds ?? []).find((slo, i) => slo.level === level && forecast.slos[i]?.passed === false);
  const slo = failing("error") ?? failing("warn");
  const wanted = slo === undefined ? null : sloMetric(slo, sample);
  // Latencies of an overloaded deployment are the length of its queue.
  if (wanted !== null && !(overloaded && wanted.unit === "ms")) return wanted;
  if (overloaded) return tokenRate;
  // Front ends hold up nobody who has his first token.
  const tpot = forecast.bottleneck.component === "frontEnd" ? null : latencyMetric("tpot", null, 0.5, sample);
  return tpot ?? latencyMetric("ttft", null, 0.5, sample) ?? tokenRate;
}

/** Quantile of a latency that stands for each aggregation: the median where a trial has nothing nearer. */
const quantileFor = { mean: 0.5, min: 0.5, max: 1, rate: 0.5, value: 0.5 } as const satisfies Record<
  Exclude<SloAggregation["kind"], "percentile">,
  number
>;

/** What an SLO is on, as a run as long as `sample` can tell it; null where it tells nothing. */
export function sloMetric({ target, expression }: Slo, sample: Forecast): AdviceMetric | null {
  const { metric, requestClass } = target;
  const { aggregation, comparator } = expression;
  const latency = latencyMetrics.find((name) => name === metric);
  if (latency !== undefined) {
    const wanted = aggregation.kind === "percentile" ? aggregation.percent / 100 : quantileFor[aggregation.kind];
    return latencyMetric(latency, requestClass, wanted, sample);
  }
  return scalarMetric(metric as ScalarName, comparator === "<" || comparator === "<=");
}
