import type { HitCurve } from "../../policy/cache/hit-curve.ts";

/** Slots of each layer in the tables: what one and two tokens need, and shares of all experts. */
export function tableSizes(experts: number, topK: number): number[] {
  const sizes = [topK, 2 * topK, ...[1 / 8, 1 / 4, 3 / 8, 1 / 2, 3 / 4].map((share) => Math.ceil(share * experts))];
  return [...new Set(sizes)].filter((slots) => slots >= topK && slots < experts).sort((a, b) => a - b);
}

/** Hit rate with `slots`; 0 where nothing was asked for. */
export const rateAt = ({ hits, accesses }: HitCurve, slots: number): number =>
  accesses === 0 ? 0 : hits[Math.min(slots, hits.length - 1)]! / accesses;

/** Least height above the line for a curve to have a knee. */
const kneeMin = 0.05;

/**
 * The knee of a hit curve: the size whose hit rate stands highest above the straight line from no slots to all, as a share of
 * the hit rate with all. A slot more brings less than the average slot from there on. Null where the curve is all but straight.
 */
export function kneeOf(curve: HitCurve): number | null {
  const all = curve.hits.length - 1;
  const most = curve.hits[all]!;
  let knee = 0;
  let highest = kneeMin;
  for (let slots = 1; slots < all; slots++) {
    const above = curve.hits[slots]! / most - slots / all;
    if (above > highest) [knee, highest] = [slots, above];
  }
  return knee === 0 ? null : knee;
}

/** Hit rate that twice the slots must bring for more to be worth while. */
export const doublingGainMin = 0.1;

/** A size and what twice of it would bring. */
export interface SuggestedSize {
  readonly slots: number;
  readonly hitRate: number;
  /** Hit rate with twice the slots, or with all experts, less that. */
  readonly doublingGain: number;
}

/**
 * The smallest size of at least `least` slots such that neither there nor at any larger size twice the slots bring
 * {@link doublingGainMin} or more. Where hits grow in step with the slots, that is nearly all experts.
 */
export function suggestedSize(curve: HitCurve, least: number): SuggestedSize {
  const all = curve.hits.length - 1;
  const at = (slots: number): SuggestedSize => {
    const hitRate = rateAt(curve, slots);
    return { slots, hitRate, doublingGain: rateAt(curve, 2 * slots) - hitRate };
  };
  let suggested = at(all);
  for (let slots = all - 1; slots >= Math.max(1, least); slots--) {
    const smaller = at(slots);
    if (smaller.doublingGain >= doublingGainMin) break;
    suggested = smaller;
  }
  return suggested;
}
