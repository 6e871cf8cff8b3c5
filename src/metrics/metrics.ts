import { cost, energy } from "./cost-metrics.ts";
import { balance, expertCache, prefetching } from "./expert-metrics.ts";
import { kvCache } from "./memory-metrics.ts";
import type { Metric } from "./metric.ts";
import { rebalancing } from "./rebalance-metrics.ts";
import { fates, preemptions, runState, sustained } from "./request-metrics.ts";
import { goodput, rates, speculation } from "./throughput-metrics.ts";

/**
 * Every figure of a forecast that is one number, by name, in the order of exported rows and of comparisons. Latencies
 * are in `latencies.ts`: they have statistics and classes.
 */
export const metrics = {
  ...rates,
  ...goodput,
  ...runState,
  ...fates,
  ...preemptions,
  ...sustained,
  ...balance,
  ...expertCache,
  ...prefetching,
  ...rebalancing,
  ...kvCache,
  ...speculation,
  ...cost,
  ...energy,
} as const satisfies Readonly<Record<string, Metric>>;

export type MetricName = keyof typeof metrics;

/** Metrics by name, seen through the common interface. */
export const metricEntries = Object.entries(metrics) as readonly (readonly [MetricName, Metric])[];

/** The order in which SLOs are judged and words explained. */
const readingOrder: readonly Readonly<Record<string, Metric>>[] = [
  goodput,
  rates,
  expertCache,
  prefetching,
  balance,
  rebalancing,
  speculation,
  cost,
  energy,
  kvCache,
  preemptions,
  fates,
  sustained,
  runState,
];

/** The same metrics, in the order in which SLOs are judged and words explained. */
export const metricsAsRead = readingOrder.flatMap((family) => Object.entries(family)) as readonly (readonly [
  MetricName,
  Metric,
])[];
