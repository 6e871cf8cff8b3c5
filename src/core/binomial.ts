import type { RandomStream } from "./random.ts";

/** So few trials are drawn one by one. */
const fewTrials = 24;

/**
 * Successes of `trials` independent trials with probability `p` each; exact. Many trials are halved by a draw of their median
 * uniform, which is a beta variate (Ahrens and Dieter, "Computer methods for sampling from gamma, beta, Poisson and binomial
 * distributions", Computing 12, 1974).
 */
export function binomial(stream: RandomStream, trials: number, p: number): number {
  if (p <= 0 || trials <= 0) return 0;
  if (p >= 1) return trials;
  let left = trials;
  let chance = p;
  let successes = 0;
  while (left > fewTrials) {
    // Of `left` uniforms in order the `below`-th lies at `at`: those before it are below it, those behind it above.
    const below = 1 + Math.floor(left / 2);
    const lower = stream.gamma(below, 1);
    const at = lower / (lower + stream.gamma(left + 1 - below, 1));
    if (at >= chance) {
      left = below - 1;
      chance /= at;
    } else {
      successes += below;
      left -= below;
      chance = (chance - at) / (1 - at);
    }
  }
  for (; left > 0; left--) if (stream.uniform() < chance) successes++;
  return successes;
}
