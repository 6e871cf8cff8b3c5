import { type LatencyMetric, latencyMetrics } from "../sim/outcome/request-latencies.ts";
import { latencies } from "./latencies.ts";
import type { ScalarSlo, SloForm } from "./metric.ts";
import { type metrics, metricsAsRead } from "./metrics.ts";

type WithSlo<Table> = {
  readonly [Name in keyof Table]: Table[Name] extends { readonly slo: ScalarSlo } ? Name : never;
}[keyof Table];

/** Metrics of an SLO that are one number per run. */
export type ScalarName = WithSlo<typeof metrics>;

export type SloMetricName = LatencyMetric | ScalarName;

/** A metric that an SLO can name. */
export interface SloMetric extends SloForm {
  readonly meaning: string;
}

/** Every metric of an SLO, latencies first. Their definitions are those that results print. */
export const sloMetrics = Object.fromEntries<SloMetric>([
  ...latencyMetrics.map((name) => {
    const { title, definition } = latencies[name];
    return [name, { ...latencies[name], meaning: `${title}: ${definition}` }] as const;
  }),
  ...metricsAsRead.flatMap(([name, { definition, slo }]) =>
    slo === undefined ? [] : [[name, { ...slo, meaning: definition + (slo.aggregated ?? "") }] as const],
  ),
]) as Readonly<Record<SloMetricName, SloMetric>>;

export const sloMetricNames = Object.keys(sloMetrics) as SloMetricName[];
