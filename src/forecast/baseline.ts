import { refuse } from "../core/errors.ts";
import { sectioningHalfWidth } from "../core/sectioning.ts";
import { type ComparedMetric, comparedMetrics } from "./compared-metrics.ts";
import type { BaselineDelta, BaselineRun, Forecast } from "./forecast.ts";

/** How much worse a metric may be than in the baseline, as a share of it. */
export interface RegressionLimits {
  readonly default: number;
  /** By name of a metric (`e2e.p99`) or of a latency (`e2e`: all its figures); the metric's own comes first. */
  readonly byName: Readonly<Record<string, number>>;
}

export const defaultRegressionLimits: RegressionLimits = { default: 0.05, byName: {} };

/** Some 26 metrics are compared at once, so that one in twenty would be wrong in most runs. */
const intervalLevel = 0.99;

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
    const was = metric.of(before);
    if (was === null) return [];
    const { name, unit } = metric;
    const limit = limits.byName[name] ?? limits.byName[name.split(".")[0] ?? name] ?? limits.default;
    const is = metric.of(after);
    const missing = { after: null, worseBy: null, regression: null, halfWidth: null, failed: true };
    if (is === null) return [{ metric: name, unit, before: was, limit, ...missing }];
    const worseBy = metric.better === "lower" ? is - was : was - is;
    const halfWidth = differenceHalfWidth(metric, before, after);
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
        // Getting worse from nothing is beyond every limit.
        failed: worseBy > was * (limit + 1e-12) && worseBy > (halfWidth ?? 0),
      },
    ];
  });
}

/**
 * Half-width of the interval of the difference, by the differences of corresponding sections of the two runs: what both
 * runs drew alike cancels in it, and what they drew apart widens it. Null where a run has no sections of the metric, and
 * where their differences have no finite one, as those of an edited baseline may: then the limit decides.
 */
function differenceHalfWidth(metric: ComparedMetric, before: Forecast, after: Forecast): number | null {
  const [first, second] = [metric.sections(before), metric.sections(after)];
  const [was, is] = [metric.of(before), metric.of(after)];
  if (first === null || second === null || was === null || is === null || first.length !== second.length) return null;
  const differences = second.map((value, i) => value - first[i]!);
  const halfWidth = sectioningHalfWidth(is - was, differences, intervalLevel);
  return Number.isFinite(halfWidth) ? halfWidth : null;
}

/** What the comparison stands on: whether both runs drew the same, or where their draws differ. */
function baselineRun(before: Forecast, after: Forecast): BaselineRun {
  const digests = (forecast: Forecast, role: string) =>
    forecast.inputs
      .filter((input) => input.role === role)
      .map(({ sha256 }) => sha256)
      .join();
  const otherDraws = [
    ...(before.seed === after.seed ? [] : ["seed"]),
    ...["requests", "routing"].filter((role) => digests(before, role) !== digests(after, role)),
  ];
  return { scenario: before.scenario.name, moecastVersion: before.moecastVersion, seed: before.seed, otherDraws };
}
