import type { AdviceMetric } from "../advice/advice-metric.ts";
import { compareForecasts } from "../baseline.ts";
import type { Forecast } from "../forecast.ts";
import type { Effect } from "./explanation.ts";

/** Without an interval a gain of less than this share is the noise of another schedule. */
const clearWithout = 0.02;

/** The effect of a change, from runs without and with it on the same draws; in words why it has none that can be stated. */
export function effectOf(metric: AdviceMetric, before: Forecast, after: Forecast): Effect | string {
  if (after.interrupted) return "its run takes too many steps";
  const [was, is] = [metric.of(before), metric.of(after)];
  if (was === null || is === null || was === 0) return `its run has no ${metric.name}`;
  if (metric.unit === "ms" && after.load.verdict === "overloaded" && before.load.verdict !== "overloaded")
    return "it is overloaded then";
  const gain = (metric.lowerIsBetter ? was - is : is - was) / was;
  const width = halfWidth(metric, before, after);
  const share = width === null ? null : width / was;
  return { after: is, gain, halfWidth: share, clear: Math.abs(gain) > (share ?? clearWithout) };
}

function halfWidth({ compared }: AdviceMetric, before: Forecast, after: Forecast): number | null {
  if (compared === null) return null;
  return compareForecasts(before, after).find(({ metric }) => metric === compared)?.halfWidth ?? null;
}
