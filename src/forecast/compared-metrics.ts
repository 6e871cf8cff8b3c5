import type { Figures } from "../metrics/figures.ts";
import { settledLatency } from "../metrics/latency-figures.ts";
import type { Metric, MetricUnit } from "../metrics/metric.ts";
import { metricEntries } from "../metrics/metrics.ts";
import { sectionMetrics, sectionParts } from "../metrics/run-sections.ts";
import { latencyMetrics } from "../sim/outcome/request-latencies.ts";

/** A number of a forecast that has a better and a worse direction. */
export interface ComparedMetric {
  /** As in SLOs and in the result document: `e2e.p99`, `throughput`. */
  readonly name: string;
  readonly unit: MetricUnit;
  readonly better: "lower" | "higher";
  readonly of: (figures: Figures) => number | null;
  /** The same of equal parts of the run; null where they are not kept. */
  readonly sections: (figures: Figures) => readonly number[] | null;
}

/** What two forecasts are compared by. */
export const comparedMetrics: readonly ComparedMetric[] = [
  ...latencyMetrics.flatMap((metric) =>
    sectionParts.map((part): ComparedMetric => {
      const kept = sectionMetrics.find((name) => name === metric);
      return {
        name: `${metric}.${part}`,
        unit: "ms",
        better: "lower",
        of: ({ latency }) => settledLatency(latency[metric], part),
        sections: ({ sections }) => (kept === undefined ? null : (sections?.latency[kept]?.[part] ?? null)),
      };
    }),
  ),
  ...metricEntries.flatMap(([name, metric]) => comparedMetric(name, metric)),
];

function comparedMetric(name: string, { unit, better, of, regression }: Metric): ComparedMetric[] {
  if (regression === undefined || better === null) return [];
  return [{ name, unit, better, of, sections: regression.sections }];
}
