import { isRegression, limitOf, type RegressionLimits } from "../baseline.ts";
import { type ComparedMetric, comparedMetrics } from "../compared-metrics.ts";
import type { Forecast } from "../forecast.ts";
import { verdictOfChange } from "./change-verdict.ts";
import type { MetricChange } from "./comparison.ts";
import { pairedFigures } from "./paired-interval.ts";

/** Which metrics are compared, and how much worse they may get. */
export interface MetricChoice {
  /** Names of metrics, or of latencies for all their figures; null for all. */
  readonly only: readonly string[] | null;
  /** null where nothing is a regression. */
  readonly limits: RegressionLimits | null;
}

/** The metrics of two results that one of them has at least, in the order of all. */
export const metricChanges = (before: Forecast, after: Forecast, choice: MetricChoice): MetricChange[] =>
  comparedMetrics
    .filter(({ name }) => isChosen(name, choice.only))
    .map((metric) => metricChange(metric, before, after, choice.limits))
    .filter((change) => change.before !== null || change.after !== null);

const isChosen = (name: string, only: readonly string[] | null): boolean =>
  only === null || only.includes(name) || only.includes(name.split(".")[0] ?? name);

function metricChange(
  metric: ComparedMetric,
  first: Forecast,
  second: Forecast,
  limits: RegressionLimits | null,
): MetricChange {
  const { name, unit, better } = metric;
  const { before, after, halfWidth, basis } = pairedFigures(metric, first, second);
  const difference = before === null || after === null ? null : after - before;
  // 0 and never -0, which would be another document.
  const worseBy = difference === null ? null : better === "lower" ? difference : 0 - difference;
  const limit = limits === null ? null : limitOf(limits, name);
  return {
    metric: name,
    unit,
    better,
    before,
    after,
    difference,
    relative: difference === null ? null : before !== 0 ? difference / before! : difference === 0 ? 0 : null,
    halfWidth,
    basis,
    verdict: verdictOfChange({ before, after, halfWidth, worseBy }),
    limit,
    // What the base has and the result lacks is beyond every limit.
    regressed:
      limit !== null && before !== null && (worseBy === null || isRegression({ before, worseBy, limit, halfWidth })),
  };
}
