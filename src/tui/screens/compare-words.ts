import { formatCount } from "../../core/units.ts";
import { comparedWith, defaultRegressionLimits } from "../../forecast/baseline.ts";
import type { Forecast } from "../../forecast/forecast.ts";
import { drawsLabel } from "../../report/baseline-labels.ts";

/** What the differences of two results may come from: the change, other draws, or that one of them is a part of its run. */
export function drawsWords(before: Forecast, after: Forecast): string {
  const { baselineRun } = comparedWith(before, after, defaultRegressionLimits);
  if (baselineRun === null) return "";
  const parts = [partWords("before", before), partWords("now", after)].filter((text) => text !== "");
  if (parts.length > 0) {
    const others =
      baselineRun.otherDraws.length === 0 ? "" : `, or from other draws (${baselineRun.otherDraws.join(", ")})`;
    return `${parts.join(", ")}: what differs may come from that${others}`;
  }
  if (unchanged(before, after)) return `same scenario, same draws (seed ${before.seed}): nothing was changed`;
  return drawsLabel(baselineRun, after);
}

const partWords = (name: string, { interrupted, requests }: Forecast): string =>
  interrupted
    ? `${name} is only the first ${formatCount(requests.completed)} of ${formatCount(requests.total)} requests`
    : "";

/** Whether both were made from the same inputs, settings among them, by the same release. */
const unchanged = (before: Forecast, after: Forecast): boolean =>
  before.moecastVersion === after.moecastVersion &&
  before.seed === after.seed &&
  before.inputs.length > 0 &&
  JSON.stringify(before.inputs) === JSON.stringify(after.inputs);
