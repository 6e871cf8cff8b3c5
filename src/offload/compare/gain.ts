import { meanInterval } from "../../core/statistics.ts";
import type { Gain } from "./comparison.ts";

/**
 * What a change saves, from pairs of runs with the same requests and random draws: the mean of 1 - after / before with its 95 %
 * interval by Student's t.
 */
export function gainOf(beforeNs: readonly number[], afterNs: readonly number[]): Gain {
  const { mean, halfWidth } = meanInterval(beforeNs.map((before, i) => 1 - afterNs[i]! / before));
  return { share: mean, halfWidth: Number.isFinite(halfWidth) ? halfWidth : null };
}

/** Whether a gain is more than its noise. A single pair does not tell. */
export const isReal = ({ share, halfWidth }: Gain): boolean => halfWidth !== null && share - halfWidth > 0;
