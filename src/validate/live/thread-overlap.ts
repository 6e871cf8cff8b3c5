/**
 * How far two works on two threads overlap, from what each takes alone and both take at once: 1 where both end as if the other
 * were not there, 0 where one waits for the other, less where they hold each other up. Of two works of T each, both take
 * T x (2 - overlap).
 */
export function overlapOf(oneNs: number, otherNs: number, bothNs: number): number {
  const shorterNs = Math.min(oneNs, otherNs);
  return shorterNs > 0 ? (oneNs + otherNs - bothNs) / shorterNs : 0;
}

/**
 * What a step takes on threads that overlap so far, if it takes `ns` on threads that do so wholly and both work for `besideNs` of
 * that. Both are slowed alike, so while both work the clock alone changes its pace: nothing happens in another order.
 */
export const onSharedCores = (ns: number, besideNs: number, overlap: number): number =>
  ns + Math.max(0, 1 - overlap) * besideNs;
