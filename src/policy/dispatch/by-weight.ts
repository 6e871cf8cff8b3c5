/** Its multiples lie evenly between whole numbers. */
const goldenRatio = 0.6180339887498949;

/** Where in a round of weighted round robin turn `turn` is, in [0, 1): turns that follow one another are far apart. */
export const phaseOf = (turn: number): number => (turn * goldenRatio) % 1;

/**
 * Adds whole tokens to shares[first .. first + count) by weights that add up to 1: as weighted round robin gives them, a copy has those
 * up to its share of the running sum. `phase` in [0, 1) says where in a round it begins, so that single tokens do not all go to the
 * first copies.
 */
export function shareByWeight(
  tokens: number,
  phase: number,
  weights: Float64Array,
  at: number,
  count: number,
  shares: Float64Array,
  first: number,
): void {
  let given = 0;
  let sum = 0;
  let last = 0;
  for (let i = 0; i < count; i++) if (weights[at + i]! > 0) last = i;
  for (let i = 0; i <= last; i++) {
    sum += weights[at + i]!;
    const upTo = i === last ? tokens : Math.min(tokens, Math.floor(tokens * sum + phase));
    shares[first + i]! += upTo - given;
    given = upTo;
  }
}

/** Place among `count` copies that a single token takes in turn, by weights that add up to 1. */
export function placeByWeight(turn: number, weights: Float64Array, at: number, count: number): number {
  let left = phaseOf(turn);
  let last = 0;
  for (let copy = 0; copy < count; copy++) {
    const weight = weights[at + copy]!;
    if (weight === 0) continue;
    if (left < weight) return copy;
    left -= weight;
    last = copy;
  }
  return last;
}
