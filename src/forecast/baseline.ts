import { refuse } from "../core/errors.ts";
import { otherDraws } from "./compare/other-draws.ts";
import { pairedFigures } from "./compare/paired-interval.ts";
import { comparedMetrics } from "./compared-metrics.ts";
import type { BaselineDelta, BaselineRun, Forecast } from "./forecast.ts";

/** How much worse a metric may be than in the baseline, as a share of it. */
export interface RegressionLimits {
  readonly default: number;
  /** By name of a metric (`e2e.p99`) or of a latency (`e2e`: all its figures); the metric's own comes first. */
  readonly byName: Readonly<Record<string, number>>;
}

export const defaultRegressionLimits: RegressionLimits = { default: 0.05, byName: {} };

/** Names that a limit can be given for. */
export const limitNames: readonly string[] = [
  ...new Set(comparedMetrics.flatMap(({ name }) => [name, name.split(".")[0] ?? name])),
];

/**
 * The forecast with its comparison with an earlier one, metric by metric. A metric fails when it got worse by more than
 * its limit and by more than the interval of the difference, or when it is missing now. One the earlier lacks is left out.
 */
export function comparedWith(before: Forecast, after: Forecast, limits: RegressionLimits): Forecast {
  return { ...after, baseline: compareForecasts(before, after, limits), baselineRun: baselineRun(before, after) };
}

/** The comparison alone; see {@link comparedWith}. */
export function compareForecasts(
  before: Forecast,
  after: Forecast,
  limits: RegressionLimits = defaultRegressionLimits,
): BaselineDelta[] {
  for (const limit of [limits.default, ...Object.values(limits.byName)])
    if (!(limit >= 0) || !Number.isFinite(limit))
      refuse({ at: "limits", expected: "shares of 0 or more", found: limit });
  return comparedMetrics.flatMap((metric): BaselineDelta[] => {
    const { before: was, after: is, halfWidth, basis } = pairedFigures(metric, before, after);
    if (was === null) return [];
    const { name, unit } = metric;
    const limit = limitOf(limits, name);
    const missing = { after: null, worseBy: null, regression: null, halfWidth: null, failed: true };
    if (is === null) return [{ metric: name, unit, before: was, limit, ...missing }];
    const worseBy = metric.better === "lower" ? is - was : was - is;
    return [
      {
        metric: name,
        unit,
        before: was,
        after: is,
        worseBy,
        regression: was !== 0 ? worseBy / was : worseBy === 0 ? 0 : null,
        limit,
        halfWidth,
        ...(basis === "seeds" ? { overSeeds: true } : {}),
        failed: isRegression({ before: was, worseBy, limit, halfWidth }),
      },
    ];
  });
}

/** The limit of a metric: its own, that of its latency, or that of all. */
export const limitOf = ({ byName, default: every }: RegressionLimits, name: string): number =>
  byName[name] ?? byName[name.split(".")[0] ?? name] ?? every;

/** Whether a metric got worse by more than its limit and by more than the interval; getting worse from nothing is beyond every limit. */
export const isRegression = (delta: {
  readonly before: number;
  readonly worseBy: number;
  readonly limit: number;
  readonly halfWidth: number | null;
}): boolean => delta.worseBy > delta.before * (delta.limit + 1e-12) && delta.worseBy > (delta.halfWidth ?? 0);

/** What the comparison stands on: whether both runs drew the same, or where their draws differ. */
const baselineRun = (before: Forecast, after: Forecast): BaselineRun => ({
  scenario: before.scenario.name,
  moecastVersion: before.moecastVersion,
  seed: before.seed,
  otherDraws: otherDraws(before, after),
});
