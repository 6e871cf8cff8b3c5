import { meanInterval } from "../../../core/statistics.ts";
import type { LoadRows } from "./load-rows.ts";

/** Windows of equal length. Their completions make the interval. */
const windows = 10;

/**
 * Completions per second of an overloaded deployment while it was never short of work, with the half-width of the 95 %
 * interval. The window is `sinceNs` to the last arrival. If the batch takes everyone in (null), it is the whole run
 * with the drain after the last arrival: a growing batch finishes ever later what it took in.
 */
export function sustainedRate(rows: LoadRows, sinceNs: number | null) {
  const { arrivalNs, completedNs } = rows;
  const completed = completedNs.filter((at) => !Number.isNaN(at)).sort();
  const fromNs = sinceNs ?? arrivalNs[0]!;
  const toNs = sinceNs === null ? (completed.at(-1) ?? fromNs) : arrivalNs.at(-1)!;
  const counted = completed.filter((at) => at > fromNs && at <= toNs);
  if (counted.length === 0 || !(toNs > fromNs)) return { perSecond: null, halfWidth: null };
  const perWindow = new Float64Array(windows);
  for (const at of counted)
    perWindow[Math.min(windows - 1, Math.floor(((at - fromNs) / (toNs - fromNs)) * windows))]!++;
  const seconds = (toNs - fromNs) / 1e9;
  return {
    perSecond: counted.length / seconds,
    halfWidth: (meanInterval(perWindow).halfWidth * windows) / seconds,
  };
}
