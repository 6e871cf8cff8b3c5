import { InvalidArgumentError } from "commander";
import { percentage } from "./words.ts";

export const limitStatistics = ["mean", "median", "p90", "bias"] as const;
export type LimitStatistic = (typeof limitStatistics)[number];

/** Largest error that `--max-error` accepts: one statistic of the size of the errors, percent. */
export interface ErrorLimit {
  readonly statistic: LimitStatistic;
  readonly percent: number;
}

/** What `--max-error` is held against; null where there is no such figure. `of` names it in a message. */
export interface LimitedErrors {
  readonly of: string;
  readonly percent: Readonly<Record<LimitStatistic, number | null>>;
}

/** Reads `8`, `8%` or `median=8`. */
export function errorLimit(text: string): ErrorLimit {
  const at = text.indexOf("=");
  const statistic = limitStatistics.find((name) => name === (at < 0 ? "mean" : text.slice(0, at)));
  if (statistic === undefined)
    throw new InvalidArgumentError(`Expected PERCENT or STATISTIC=PERCENT with one of ${limitStatistics.join(", ")}.`);
  return { statistic, percent: percentage(text.slice(at + 1)) };
}

/** Why the limit is not kept, or null. An error that is not known keeps no limit. */
export function limitExceeded(
  { statistic, percent }: ErrorLimit,
  { of, percent: errors }: LimitedErrors,
): string | null {
  const found = errors[statistic];
  if (found === null) return `--max-error: there is no ${statistic} of the ${of} to hold against ${percent}%`;
  if (Math.abs(found) <= percent) return null;
  return `--max-error: ${statistic} of the ${of} is ${found.toFixed(2)}%, above ${percent}%`;
}
