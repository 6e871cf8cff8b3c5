import { percentiles } from "../../calibrate/measured/latency-statistics.ts";
import type { MeasuredBenchmark } from "../../calibrate/measured/measured-benchmark.ts";
import { type MeasuredRun, runStatistics } from "../../calibrate/measured/measured-run.ts";
import { enoughSamples, quantile } from "../../core/quantile.ts";
import { mean } from "../../core/statistics.ts";
import type { Forecast } from "../../forecast/forecast.ts";
import { settledLatency } from "../../metrics/latency-figures.ts";
import { requestValue } from "../../sim/outcome/request-latencies.ts";
import { type RequestRows, requestStatus } from "../../sim/result.ts";
import { metricError } from "../serving/summarise.ts";
import {
  type ComparedFigure,
  figureStatistics,
  type RequestPair,
  type RequestTimes,
  type RunMetric,
  type RunValidation,
  runMetrics,
} from "./run-validation.ts";

const nsPerMs = 1e6;

type Comparison = Pick<RunValidation, "requests" | "figures" | "perRequest" | "pairs">;

/** Compares a replay request by request; `rows` hold the same requests in the same order. */
export function compareReplay(served: MeasuredRun, rows: RequestRows, forecast: Forecast): Comparison {
  const pairs = requestPairs(served, rows);
  const values = (side: "measured" | "predicted", key: keyof RequestTimes) =>
    Float64Array.from(pairs.flatMap((pair) => pair[side][key] ?? []));
  const metrics = { ttft: "ttftMs", tpot: "tpotMs", e2e: "e2eMs" } as const;
  const latency = Object.entries(metrics).flatMap(([metric, key]) => {
    const [measured, predicted] = [values("measured", key), values("predicted", key)];
    return figureStatistics.map((statistic) =>
      figure(metric as RunMetric, statistic, "ms", sampled(measured, statistic), sampled(predicted, statistic)),
    );
  });
  const errors = (key: keyof RequestTimes) =>
    metricError(pairs.flatMap(({ measured, predicted }) => errorPercent(measured[key], predicted[key]) ?? []));
  return {
    requests: { measured: served.requests.count, compared: pairs.length },
    figures: [...latency, ...replayedRates(served, forecast)],
    perRequest: { ttft: errors("ttftMs"), tpot: errors("tpotMs"), e2e: errors("e2eMs") },
    pairs,
  };
}

/** Compares the statistics that a benchmark states with those of a forecast of the scenario's own traffic. */
export function compareStatistics(served: MeasuredBenchmark, forecast: Forecast): Comparison {
  const latency = runMetrics.flatMap((metric) =>
    figureStatistics.flatMap((statistic) => {
      const measured = served.metrics[metric]?.[statistic] ?? null;
      return measured === null
        ? []
        : [figure(metric, statistic, "ms", measured, settledLatency(forecast.latency[metric], statistic))];
    }),
  );
  const { throughput } = forecast;
  const rates = [
    figure("outputThroughput", null, "tok/s", served.outputTokensPerSecond, throughput.outputTokensPerSecond),
    figure("requestThroughput", null, "req/s", served.requestThroughput, throughput.requestsPerSecond),
  ].filter(({ measured }) => measured !== null);
  return {
    requests: { measured: served.requests, compared: forecast.requests.completed },
    figures: [...latency, ...rates],
    perRequest: null,
    pairs: [],
  };
}

/** Requests that completed on both sides. */
function requestPairs(served: MeasuredRun, rows: RequestRows): RequestPair[] {
  const { count, promptTokens, outputTokens } = served.requests;
  const pairs: RequestPair[] = [];
  for (let index = 0; index < count; index += 1) {
    if (rows.status[index] !== requestStatus.completed) continue;
    const measuredTpotMs = served.tpotMs[index]!;
    const tpotNs = requestValue(rows, "tpot", index);
    const defined = outputTokens[index]! > 1;
    pairs.push({
      index,
      promptTokens: promptTokens[index]!,
      outputTokens: outputTokens[index]!,
      measured: {
        ttftMs: served.ttftMs[index]!,
        tpotMs: defined ? measuredTpotMs : null,
        e2eMs: served.e2eMs[index]!,
      },
      predicted: {
        ttftMs: requestValue(rows, "ttft", index) / nsPerMs,
        tpotMs: defined ? tpotNs / nsPerMs : null,
        e2eMs: requestValue(rows, "e2e", index) / nsPerMs,
      },
    });
  }
  return pairs;
}

/** Rates over the span from the first arrival to the last token, on both sides. */
function replayedRates(served: MeasuredRun, { throughput }: Forecast): ComparedFigure[] {
  const { outputTokensPerSecond, requestsPerSecond, seconds } = runStatistics(served);
  return [
    figure("outputThroughput", null, "tok/s", outputTokensPerSecond, throughput.outputTokensPerSecond),
    figure("requestThroughput", null, "req/s", requestsPerSecond, throughput.requestsPerSecond),
    figure("duration", null, "s", seconds, throughput.durationS),
  ];
}

/** A statistic of samples; null for a percentile with fewer than ten samples beyond it. */
function sampled(values: Float64Array, statistic: ComparedFigure["statistic"]): number | null {
  if (values.length === 0 || statistic === null) return null;
  if (statistic === "mean") return mean(values);
  const level = percentiles[statistic];
  return enoughSamples(values.length, level) ? quantile(values, level) : null;
}

function figure(
  metric: ComparedFigure["metric"],
  statistic: ComparedFigure["statistic"],
  unit: ComparedFigure["unit"],
  measured: number | null,
  predicted: number | null,
): ComparedFigure {
  return { metric, statistic, unit, measured, predicted, errorPercent: errorPercent(measured, predicted) };
}

const errorPercent = (measured: number | null, predicted: number | null): number | null =>
  measured === null || predicted === null || !(measured > 0) ? null : 100 * (predicted / measured - 1);
