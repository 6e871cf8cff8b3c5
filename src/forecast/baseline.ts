import { refuse } from "../core/errors.ts";
import { type BaselineDelta, type Forecast, latencyMetrics } from "./forecast.ts";

/** A number of a forecast that has a better and a worse direction. */
interface ComparedMetric {
  readonly name: string;
  readonly better: "lower" | "higher";
  readonly of: (forecast: Forecast) => number | null;
}

const latencyParts = ["mean", "p50", "p90", "p99"] as const;

/** What two forecasts are compared by. */
const comparedMetrics: readonly ComparedMetric[] = [
  ...latencyMetrics.flatMap((metric) =>
    latencyParts.map(
      (part): ComparedMetric => ({
        name: `${metric} ${part}`,
        better: "lower",
        of: (forecast) => forecast.latency[metric][part],
      }),
    ),
  ),
  { name: "output tokens/s", better: "higher", of: (forecast) => forecast.throughput.outputTokensPerSecond },
  {
    name: "output tokens/s per device",
    better: "higher",
    of: (forecast) => forecast.throughput.outputTokensPerSecondPerDevice,
  },
  { name: "requests/s", better: "higher", of: (forecast) => forecast.throughput.requestsPerSecond },
  { name: "goodput", better: "higher", of: (forecast) => forecast.throughput.goodput },
  { name: "expert cache hit rate", better: "higher", of: (forecast) => hitRate(forecast) },
  {
    name: "USD per million output tokens",
    better: "lower",
    of: (forecast) => forecast.cost?.usdPerMillionOutputTokens ?? null,
  },
  { name: "J per output token", better: "lower", of: (forecast) => forecast.energy?.joulesPerOutputToken ?? null },
];

const hitRate = ({ cache }: Forecast): number | null =>
  cache === null || cache.accesses === 0 ? null : cache.hits / cache.accesses;

/**
 * Compares a forecast with an earlier one, metric by metric. A metric fails when it got worse by more than
 * `maxRegressPercent` of its earlier value, or when it is missing now; metrics the earlier one lacks are left out.
 */
export function compareForecasts(before: Forecast, after: Forecast, maxRegressPercent: number): BaselineDelta[] {
  if (!(maxRegressPercent >= 0) || !Number.isFinite(maxRegressPercent))
    refuse({ at: "max-regress", expected: "a percentage of 0 or more", found: maxRegressPercent });
  return comparedMetrics.flatMap(({ name, better, of }): BaselineDelta[] => {
    const was = of(before);
    if (was === null) return [];
    const is = of(after);
    if (is === null) return [{ metric: name, before: was, after: null, regression: null, failed: true }];
    const worse = better === "lower" ? is - was : was - is;
    const regression = was === 0 ? (worse > 0 ? 1 : 0) : worse / was;
    return [{ metric: name, before: was, after: is, regression, failed: regression > maxRegressPercent / 100 + 1e-12 }];
  });
}
