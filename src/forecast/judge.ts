import { enoughSamples } from "../core/quantile.ts";
import { formatCount, formatDuration, formatNumber, formatPercent } from "../core/units.ts";
import { comparators, printTarget, type SloExpression } from "../scenario/slo-expression.ts";
import { type SloMetric, type SloMetricName, sloMetric } from "../scenario/slo-metrics.ts";
import type { Slo } from "../scenario/slo-section.ts";
import { type LatencyMetric, latencyMetrics, type SloVerdict } from "./forecast.ts";
import type { LatencySamples } from "./measured-requests.ts";

/** Metrics of an SLO that are one number per run. */
export type ScalarMetric = Exclude<SloMetricName, LatencyMetric>;

/** One number of a run: null where there is none, with the reason. */
export interface Scalar {
  readonly value: number | null;
  /** Samples the number stands on; 0 fails every SLO. */
  readonly samples: number;
  readonly reason?: string;
}

/** What SLOs are judged on. */
export interface JudgeContext {
  /** Why latencies mean nothing: the deployment does not keep up with its load. null if it does. */
  readonly overloaded: string | null;
  samples(metric: LatencyMetric, requestClass: string | null): LatencySamples;
  scalar(metric: ScalarMetric, kind: "rate" | "value" | "max", requestClass: string | null): Scalar;
}

/** An observation, or why there is none. */
interface Observation {
  readonly observed: number | null;
  readonly samples: number;
  readonly reason: string | null;
}

/** Judges one SLO. Without an observation it fails: no samples, too few for the percentile, or overloaded. */
export function judge(slo: Slo, context: JudgeContext): SloVerdict {
  const { target, expression } = slo;
  const { observed, samples, reason } = observe(slo, context);
  const known = observed !== null && Number.isFinite(observed) ? observed : null;
  const passed = known !== null && comparators[expression.comparator](known, expression.limit);
  return {
    metric: printTarget(target),
    expression: slo.text,
    level: slo.level,
    passed,
    observed: known === null ? null : known / unitSize(expression),
    observedText: known === null ? "n/a" : observedText(known, expression, sloMetric(target.metric)),
    margin: known === null ? null : marginOf(known, expression),
    samples,
    reason: known === null ? (reason ?? "no samples") : null,
  };
}

function observe(slo: Slo, context: JudgeContext): Observation {
  const { metric, requestClass } = slo.target;
  const { aggregation } = slo.expression;
  const latency = latencyMetrics.find((name) => name === metric);
  if (latency !== undefined) return observeLatency(slo, latency, context);
  if (aggregation.kind !== "rate" && aggregation.kind !== "value" && aggregation.kind !== "max")
    return { observed: null, samples: 0, reason: `${metric} has no ${aggregation.kind}` };
  if (metric === "goodput" && context.overloaded !== null)
    return { observed: null, samples: 0, reason: context.overloaded };
  const scalar = context.scalar(metric as ScalarMetric, aggregation.kind, requestClass);
  if (scalar.samples === 0 || scalar.value === null)
    return { observed: null, samples: scalar.samples, reason: scalar.reason ?? "no samples" };
  return { observed: scalar.value, samples: scalar.samples, reason: null };
}

function observeLatency(slo: Slo, metric: LatencyMetric, context: JudgeContext): Observation {
  const { aggregation } = slo.expression;
  const samples = context.samples(metric, slo.target.requestClass);
  const { count } = samples;
  const refused = (reason: string): Observation => ({ observed: null, samples: count, reason });
  if (context.overloaded !== null) return refused(context.overloaded);
  if (count === 0) return refused("no samples");
  switch (aggregation.kind) {
    case "percentile": {
      const p = aggregation.percent / 100;
      if (!enoughSamples(count, p)) {
        const needed = Math.ceil(10 / (1 - p) - 1e-6);
        return refused(
          `too few samples for p(${aggregation.percent}): ${formatCount(count)} of ${formatCount(needed)}`,
        );
      }
      return { observed: samples.quantile(p), samples: count, reason: null };
    }
    case "mean":
    case "min":
    case "max":
      return { observed: samples[aggregation.kind](), samples: count, reason: null };
    case "rate":
    case "value":
      return refused(`${metric} has no ${aggregation.kind}`);
  }
}

/** Base units in one unit of the expression: 1e6 ns for an expression in ms. */
function unitSize(expression: SloExpression): number {
  return expression.number > 0 ? expression.limit / expression.number : 1;
}

/** Distance to the limit as a share of it, positive on the passing side; null for equalities and limits of zero. */
function marginOf(observed: number, { comparator, limit }: SloExpression): number | null {
  if (limit === 0 || comparator === "==") return null;
  return (comparator === "<" || comparator === "<=" ? limit - observed : observed - limit) / limit;
}

function observedText(observed: number, expression: SloExpression, metric: SloMetric): string {
  if (expression.aggregation.kind === "rate") return formatPercent(observed, 2);
  switch (metric.dimension) {
    case "duration":
      return formatDuration(observed);
    case "rate":
      return `${formatNumber(observed)}/s`;
    case "ratio":
      return formatPercent(observed, 2);
    case "number":
      return formatNumber(observed, 4);
  }
}
