import { latencyMetrics } from "../sim/outcome/request-latencies.ts";
import type { Forecast, MetricUnit } from "./forecast.ts";
import { sectionMetrics, sectionParts } from "./sections.ts";
import { settledLatency } from "./settled-latency.ts";

/** A number of a forecast that has a better and a worse direction. */
export interface ComparedMetric {
  /** As in SLOs and in the result document: `e2e.p99`, `throughput`. */
  readonly name: string;
  readonly unit: MetricUnit;
  readonly better: "lower" | "higher";
  readonly of: (forecast: Forecast) => number | null;
  /** The same of equal parts of the run; null where they are not kept. */
  readonly sections: (forecast: Forecast) => readonly number[] | null;
}

const noSections = () => null;

/** What two forecasts are compared by. */
export const comparedMetrics: readonly ComparedMetric[] = [
  ...latencyMetrics.flatMap((metric) =>
    sectionParts.map((part): ComparedMetric => {
      const kept = sectionMetrics.find((name) => name === metric);
      return {
        name: `${metric}.${part}`,
        unit: "ms",
        better: "lower",
        of: (forecast) => settledLatency(forecast.latency[metric], part),
        sections: kept === undefined ? noSections : ({ sections }) => sections?.latency[kept]?.[part] ?? null,
      };
    }),
  ),
  {
    name: "throughput",
    unit: "tok/s",
    better: "higher",
    of: ({ throughput }) => throughput.outputTokensPerSecond,
    sections: ({ sections }) => sections?.outputTokensPerSecond ?? null,
  },
  {
    name: "throughputPerDevice",
    unit: "tok/s",
    better: "higher",
    of: ({ throughput }) => throughput.outputTokensPerSecondPerDevice,
    sections: ({ sections, deployment }) =>
      sections?.outputTokensPerSecond?.map((rate) => rate / deployment.devices) ?? null,
  },
  {
    name: "requestRate",
    unit: "req/s",
    better: "higher",
    of: ({ throughput }) => throughput.requestsPerSecond,
    sections: ({ sections }) => sections?.requestsPerSecond ?? null,
  },
  {
    name: "goodput",
    unit: "share",
    better: "higher",
    of: ({ throughput }) => throughput.goodput,
    sections: ({ sections }) => sections?.goodput ?? null,
  },
  {
    name: "expertCacheHit",
    unit: "share",
    better: "higher",
    of: ({ cache }) => (cache === null || cache.accesses === 0 ? null : cache.hits / cache.accesses),
    sections: noSections,
  },
  {
    name: "costUsdPerMtok",
    unit: "USD/Mtok",
    better: "lower",
    of: ({ cost }) => cost?.usdPerMillionOutputTokens ?? null,
    sections: ({ cost, sections }) =>
      cost === null
        ? null
        : (sections?.outputTokensPerSecond?.map((rate) => (cost.usdPerHour / 3600 / rate) * 1e6) ?? null),
  },
  {
    name: "joulesPerOutputToken",
    unit: "J/tok",
    better: "lower",
    of: ({ energy }) => energy?.joulesPerOutputToken ?? null,
    // The power of the whole run, as the cost has its price.
    sections: ({ energy, sections }) =>
      energy === null ? null : (sections?.outputTokensPerSecond?.map((rate) => energy.averageW / rate) ?? null),
  },
];
