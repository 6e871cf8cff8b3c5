import type { ScalarName } from "../../metrics/slo-metrics.ts";
import type { Scenario } from "../../scenario/parse-scenario.ts";
import type { Slo } from "../../scenario/slo-section.ts";
import { latencyMetrics } from "../../sim/outcome/request-latencies.ts";
import { type AdviceMetric, latencyMetric, sloMetric, tokenRate } from "../advice/advice-metric.ts";
import type { Forecast } from "../forecast.ts";
import type { PathMetric } from "./path-metrics.ts";

/** Figures beside latencies that a faster deployment improves: an SLO on one of them can be what is to be explained. */
const served: readonly ScalarName[] = ["throughput", "goodput"];

/**
 * The SLO that says what matters: the first that failed, errors before warnings; else the one with the smallest margin, again errors
 * before warnings.
 */
function decisiveSlo({ slo }: Scenario, forecast: Forecast): Slo | null {
  const judged = (slo?.thresholds ?? []).flatMap((one, i) => {
    const verdict = forecast.slos[i];
    const { metric } = one.target;
    const counts = latencyMetrics.some((name) => name === metric) || served.some((name) => name === metric);
    return verdict === undefined || !counts ? [] : [{ one, verdict }];
  });
  for (const level of ["error", "warn"] as const) {
    const failed = judged.find(({ one, verdict }) => one.level === level && !verdict.passed);
    if (failed !== undefined) return failed.one;
  }
  const tightest = judged
    .filter(({ verdict }) => verdict.margin !== null)
    .sort((a, b) => a.verdict.margin! - b.verdict.margin!);
  return (tightest.find(({ one }) => one.level === "error") ?? tightest[0])?.one ?? null;
}

/** The latency whose path is followed: that of the decisive SLO; else TPOT, or TTFT where requests emit a single token. */
export function pathMetricOf(scenario: Scenario, forecast: Forecast): PathMetric {
  const metric = decisiveSlo(scenario, forecast)?.target.metric;
  if (metric === "tpot" || metric === "itl") return "tpot";
  if (metric === "ttft" || metric === "queue") return "ttft";
  if (metric === "e2e") return "e2e";
  return forecast.latency.tpot.n > 0 ? "tpot" : "ttft";
}

/**
 * What is to be improved: the latency that was asked for; else that of the decisive SLO; else mean TPOT, or p99 TTFT where requests
 * emit a single token; of an overloaded deployment its token rate. Percentiles are the largest that a run as long as `sample` can tell.
 */
export function explainMetric(
  scenario: Scenario,
  forecast: Forecast,
  sample: Forecast,
  asked: { readonly metric: PathMetric; readonly p: number } | null,
): AdviceMetric {
  if (forecast.load.verdict === "overloaded") return tokenRate;
  if (asked !== null) return latencyMetric(asked.metric, null, asked.p, sample) ?? tokenRate;
  const slo = decisiveSlo(scenario, forecast);
  const wanted = slo === null ? null : sloMetric(slo, sample);
  return wanted ?? latencyMetric("tpot", null, 0, sample) ?? latencyMetric("ttft", null, 0.99, sample) ?? tokenRate;
}
