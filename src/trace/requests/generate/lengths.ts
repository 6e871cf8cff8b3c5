import type { RandomStream } from "../../../core/random.ts";

/**
 * Law of a prompt or output length, tokens. `minTokens` (1 unless given) and `maxTokens` clamp a draw, as a server's
 * `max_tokens` does: what lies outside piles up at the bound, and moments are those of the law before clamping.
 */
export type LengthSpec = LengthLaw & { readonly minTokens?: number; readonly maxTokens?: number };

type LengthLaw =
  | { readonly kind: "fixed"; readonly tokens: number }
  /** Whole numbers from `low` to `high`, both included. */
  | { readonly kind: "uniform"; readonly low: number; readonly high: number }
  /** By mean and median: sigma = sqrt(2 ln(mean / p50)). */
  | { readonly kind: "lognormal"; readonly mean: number; readonly p50: number }
  /** By mean and the standard deviation of the logarithm. */
  | { readonly kind: "lognormal"; readonly mean: number; readonly sigma: number }
  /** By mean and coefficient of variation. */
  | { readonly kind: "gamma"; readonly mean: number; readonly cv: number }
  | { readonly kind: "exponential"; readonly mean: number }
  /** Tokens until a stop that each token has with probability 1 / mean; 1 at least. */
  | { readonly kind: "geometric"; readonly mean: number };

/** A sampler of whole, clamped lengths. */
export function lengthsOf(spec: LengthSpec, rng: RandomStream): () => number {
  const draw = lawOf(spec, rng);
  const low = Math.max(1, spec.minTokens ?? 1);
  const high = Math.min(0xffff_ffff, spec.maxTokens ?? 0xffff_ffff);
  return () => Math.min(high, Math.max(low, Math.round(draw())));
}

function lawOf(spec: LengthSpec, rng: RandomStream): () => number {
  switch (spec.kind) {
    case "fixed":
      return () => spec.tokens;
    case "uniform":
      return () => spec.low + rng.below(spec.high - spec.low + 1);
    case "lognormal": {
      const sigma = "sigma" in spec ? spec.sigma : Math.sqrt(2 * Math.log(spec.mean / spec.p50));
      const mu = Math.log(spec.mean) - (sigma * sigma) / 2;
      return () => Math.exp(mu + sigma * rng.normal());
    }
    case "gamma": {
      const squared = spec.cv * spec.cv;
      return () => rng.gamma(1 / squared, spec.mean * squared);
    }
    case "exponential":
      return () => rng.exponential(spec.mean);
    case "geometric": {
      const meanTokens = -1 / Math.log1p(-1 / spec.mean); // of the exponential law whose floor is geometric
      return () => 1 + (spec.mean > 1 ? Math.floor(rng.exponential(meanTokens)) : 0);
    }
  }
}
