/**
 * Fewest misses of a sequence of calls, by exhaustive search over the sets that may stay resident after each call. Under
 * mandatory admission all of a call that fits must stay; under free admission anything may leave.
 */
export function fewestMisses(
  calls: readonly number[][],
  capacity: number,
  admission: "mandatory" | "free",
  call = 0,
  /** Bit masks of experts. */
  resident = 0,
  known = new Map<string, number>(),
): number {
  const keys = calls[call];
  if (keys === undefined) return 0;
  const name = `${call}/${resident}`;
  const memo = known.get(name);
  if (memo !== undefined) return memo;
  const called = keys.reduce((mask, key) => mask | (1 << key), 0);
  const all = resident | called;
  const required = admission === "mandatory" && keys.length <= capacity ? called : 0;
  let best = Infinity;
  for (let kept = all; ; kept = (kept - 1) & all) {
    if ((kept & required) === required && bits(kept) <= capacity)
      best = Math.min(best, fewestMisses(calls, capacity, admission, call + 1, kept, known));
    if (kept === 0) break;
  }
  const misses = bits(called & ~resident) + best;
  known.set(name, misses);
  return misses;
}

/** How many experts a bit mask holds. */
export const bits = (mask: number): number => mask.toString(2).replaceAll("0", "").length;
