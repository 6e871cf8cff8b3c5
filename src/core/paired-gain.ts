import { meanInterval } from "./statistics.ts";

/** A relative change with the half-width of its 95 % interval, null for a single pair; both as shares. */
export interface Gain {
  readonly share: number;
  readonly halfWidth: number | null;
}

/**
 * What a change saves, from pairs of runs with the same requests and random draws: the mean of 1 - after / before with its 95 %
 * interval by Student's t.
 */
export function gainOf(before: readonly number[], after: readonly number[]): Gain {
  const { mean, halfWidth } = meanInterval(before.map((value, i) => 1 - after[i]! / value));
  return { share: mean, halfWidth: Number.isFinite(halfWidth) ? halfWidth : null };
}

/** Whether a gain is more than its noise. A single pair does not tell. */
export const isReal = ({ share, halfWidth }: Gain): boolean => halfWidth !== null && share - halfWidth > 0;
