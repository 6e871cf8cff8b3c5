import { formatBytes, formatCount, formatDollars, formatNumber, formatPercent } from "../core/units.ts";
import type { BaselineDelta, BaselineRun, Forecast } from "../forecast/forecast.ts";
import type { MetricUnit } from "../metrics/metric.ts";
import { milliseconds } from "./labels.ts";

/** A figure with its unit, for people. */
export const withUnit: Readonly<Record<MetricUnit, (value: number) => string>> = {
  ms: milliseconds,
  "tok/s": (value) => `${formatNumber(value, 4)} tok/s`,
  "req/s": (value) => `${formatNumber(value, 4)} req/s`,
  share: (value) => formatPercent(value, 2),
  "USD/Mtok": (value) => `${formatDollars(value)}/Mtok`,
  "J/tok": (value) => `${formatNumber(value)} J/tok`,
  requests: (value) => `${formatCount(value)} requests`,
  tokens: (value) => `${formatNumber(value, 4)} tokens`,
  experts: (value) => `${formatNumber(value, 4)} experts`,
  ratio: (value) => formatNumber(value, 4),
  maps: (value) => `${formatCount(value)} maps`,
  B: formatBytes,
  flag: String,
};

/** A compared figure with its unit; `n/a` where it is missing. */
export const comparedValue = ({ unit }: BaselineDelta, value: number | null): string =>
  value === null ? "n/a" : withUnit[unit](value);

/** How a metric moved: `worse by 32.8%`, `worse, from zero`, `same`. */
export function changeLabel({ worseBy, regression }: BaselineDelta): string {
  if (worseBy === null) return "missing now";
  if (worseBy === 0) return "same";
  const direction = worseBy > 0 ? "worse" : "better";
  return regression === null ? `${direction}, from zero` : `${direction} by ${formatPercent(Math.abs(regression))}`;
}

/** Half-width of the interval of the difference, as a share of the baseline where that is not zero. */
export function intervalLabel(delta: BaselineDelta): string {
  const { before, halfWidth } = delta;
  if (halfWidth === null) return "n/a";
  return `±${before === 0 ? comparedValue(delta, halfWidth) : formatPercent(halfWidth / before)}`;
}

export const limitLabel = ({ limit }: BaselineDelta): string => `${formatNumber(limit * 100)}%`;

/** One metric against the baseline in a sentence. */
export const comparedLabel = (delta: BaselineDelta): string =>
  `${comparedValue(delta, delta.before)} before, ${comparedValue(delta, delta.after)} now: ${changeLabel(delta)}; ` +
  `limit ${limitLabel(delta)}, interval of the difference ${intervalLabel(delta)}`;

/** Whether the two runs drew the same, in words. */
export function drawsLabel(run: BaselineRun, now: Pick<Forecast, "moecastVersion">): string {
  const { otherDraws, seed, moecastVersion } = run;
  const version =
    moecastVersion === now.moecastVersion ? "" : `; moecast ${moecastVersion} before, ${now.moecastVersion} now`;
  if (otherDraws.length === 0) return `same draws (seed ${seed}): what differs comes from the change${version}`;
  return `other draws (${otherDraws.join(", ")}): what differs may be their noise${version}`;
}
