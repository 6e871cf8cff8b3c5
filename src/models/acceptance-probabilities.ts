import type { AcceptanceCurve } from "./acceptance-curves.ts";

/**
 * Conditional acceptance probabilities of `drafts` draft tokens that give exactly the curve's length at that number:
 * its increments, made non-increasing by isotonic regression, not below 0, and scaled to their sum. Where the increments
 * up to `drafts` fall and are positive, they are the probabilities that a draft token and all before it are accepted,
 * unchanged; where the curve dips, all of them are lower than those of a shorter draft.
 */
export function conditionalAcceptance(curve: AcceptanceCurve, drafts: number): Float64Array {
  const { lengths } = curve;
  const survival = nonIncreasing(
    Array.from({ length: drafts }, (_, i) => (lengths[i] ?? 0) - (i === 0 ? 1 : (lengths[i - 1] ?? 0))),
  ).map((value) => Math.max(0, value));
  const sum = survival.reduce((total, value) => total + value, 0);
  const scale = sum > 0 ? ((lengths[drafts - 1] ?? 1) - 1) / sum : 0;
  let before = 1;
  return Float64Array.from(survival, (value) => {
    const survives = Math.min(1, value * scale);
    const conditional = before > 0 ? Math.min(1, survives / before) : 0;
    before = survives;
    return conditional;
  });
}

/** The non-increasing sequence nearest to the values in least squares (pool adjacent violators); keeps their sum. */
function nonIncreasing(values: readonly number[]): number[] {
  const pools: { sum: number; count: number }[] = [];
  for (const value of values) {
    let pool = { sum: value, count: 1 };
    for (let last = pools.at(-1); last !== undefined && last.sum / last.count < pool.sum / pool.count; ) {
      pool = { sum: pool.sum + last.sum, count: pool.count + last.count };
      pools.pop();
      last = pools.at(-1);
    }
    pools.push(pool);
  }
  return pools.flatMap(({ sum, count }) => Array.from({ length: count }, () => sum / count));
}
