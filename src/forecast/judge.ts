import { formatCount, formatDuration, formatNumber, formatPercent } from "../core/units.ts";
import type { Scalar, ScalarKind } from "../metrics/metric.ts";
import { type ScalarName, type SloMetric, sloMetrics } from "../metrics/slo-metrics.ts";
import { comparators, printTarget, type SloExpression } from "../scenario/slo-expression.ts";
import type { Slo } from "../scenario/slo-section.ts";
import { type LatencyMetric, type LatencySamples, latencyMetrics } from "../sim/outcome/request-latencies.ts";
import type { SloVerdict } from "./forecast.ts";
import { intervalLevel, percentileOf } from "./percentile-of.ts";

/** What SLOs are judged on. */
export interface JudgeContext {
  /** Why latencies stand for nothing but this run: overloaded, or too short to tell. null if the deployment keeps up. */
  readonly unsettled: string | null;
  samples(metric: LatencyMetric, requestClass: string | null): LatencySamples;
  scalar(metric: ScalarName, kind: ScalarKind, requestClass: string | null): Scalar;
}

/** What is judged, with its interval if it has few samples, or why there is nothing. */
interface Judged {
  readonly value: number | null;
  readonly interval: SloVerdict["interval"];
  readonly samples: number;
  readonly reason: string | null;
}

const none = (reason: string, samples = 0): Judged => ({ value: null, interval: null, samples, reason });

/**
 * Judges one SLO. Without a value it fails: no samples, overloaded, too short to tell. A percentile of few samples
 * passes only if all of its interval does.
 */
export function judge(slo: Slo, context: JudgeContext): SloVerdict {
  const { target, expression } = slo;
  const { value, interval, samples, reason } = judgedValue(slo, context);
  const known = value !== null && Number.isFinite(value) ? value : null;
  const meets = (figure: number) => comparators[expression.comparator](figure, expression.limit);
  const clears = interval === null || (meets(interval.low) && meets(interval.high ?? Number.POSITIVE_INFINITY));
  const passed = known !== null && meets(known) && clears;
  const text = (figure: number) => valueText(figure, expression, sloMetrics[target.metric]);
  const size = unitSize(expression);
  return {
    metric: printTarget(target),
    expression: slo.text,
    level: slo.level,
    passed,
    value: known === null ? null : known / size,
    valueText: known === null ? "n/a" : text(known) + (interval === null ? "" : ` (${intervalText(interval, text)})`),
    interval:
      known === null || interval === null
        ? null
        : { low: interval.low / size, high: interval.high === null ? null : interval.high / size },
    margin: known === null ? null : marginOf(known, expression),
    samples,
    reason: known === null ? (reason ?? "no samples") : clears ? null : reason,
  };
}

function judgedValue(slo: Slo, context: JudgeContext): Judged {
  const { metric, requestClass } = slo.target;
  const { aggregation } = slo.expression;
  const latency = latencyMetrics.find((name) => name === metric);
  if (latency !== undefined) return latencyValue(slo, latency, context);
  if (aggregation.kind !== "rate" && aggregation.kind !== "value" && aggregation.kind !== "max")
    return none(`${metric} has no ${aggregation.kind}`);
  if (metric === "goodput" && context.unsettled !== null) return none(context.unsettled);
  const scalar = context.scalar(metric as ScalarName, aggregation.kind, requestClass);
  if (scalar.samples === 0 || scalar.value === null) return none(scalar.reason ?? "no samples", scalar.samples);
  return { value: scalar.value, interval: null, samples: scalar.samples, reason: null };
}

function latencyValue(slo: Slo, metric: LatencyMetric, context: JudgeContext): Judged {
  const { aggregation } = slo.expression;
  const samples = context.samples(metric, slo.target.requestClass);
  const { count } = samples;
  if (context.unsettled !== null) return none(context.unsettled, count);
  if (count === 0) return none("no samples");
  switch (aggregation.kind) {
    case "percentile": {
      const { value, interval } = percentileOf(samples, aggregation.percent / 100);
      return {
        value,
        interval,
        samples: count,
        reason: interval === null ? null : fewText(aggregation, count),
      };
    }
    case "mean":
    case "min":
    case "max":
      return { value: samples[aggregation.kind](), interval: null, samples: count, reason: null };
    case "rate":
    case "value":
      return none(`${metric} has no ${aggregation.kind}`, count);
  }
}

/** What keeps a percentile of few samples from passing. */
function fewText({ percent }: { readonly percent: number }, count: number): string {
  const needed = Math.ceil(10 / (1 - percent / 100) - 1e-6);
  return (
    `the ${formatPercent(intervalLevel, 0)} interval does not clear the limit: ` +
    `${formatCount(count)} of ${formatCount(needed)} samples for p(${percent})`
  );
}

/** An interval by its ends; one that no sample bounds is open. */
function intervalText({ low, high }: NonNullable<SloVerdict["interval"]>, text: (value: number) => string): string {
  if (high === null) return low > 0 ? `at least ${text(low)}` : "anything";
  return low > 0 ? `${text(low)} to ${text(high)}` : `at most ${text(high)}`;
}

/** Base units in one unit of the expression: 1e6 ns for an expression in ms. */
function unitSize(expression: SloExpression): number {
  return expression.number > 0 ? expression.limit / expression.number : 1;
}

/** Distance to the limit as a share of it, positive on the passing side; null for equalities and limits of zero. */
function marginOf(value: number, { comparator, limit }: SloExpression): number | null {
  if (limit === 0 || comparator === "==") return null;
  return (comparator === "<" || comparator === "<=" ? limit - value : value - limit) / limit;
}

function valueText(value: number, expression: SloExpression, metric: SloMetric): string {
  if (expression.aggregation.kind === "rate") return formatPercent(value, 2);
  switch (metric.dimension) {
    case "duration":
      return formatDuration(value);
    case "rate":
      return `${formatNumber(value)}/s`;
    case "ratio":
      return formatPercent(value, 2);
    case "number":
      return formatNumber(value, 4);
  }
}
