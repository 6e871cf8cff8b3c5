import { expertMatrices } from "./parameters.ts";
import type { MoeFeedForward } from "./spec.ts";

/**
 * Experts that compute next to nothing, beside the feed-forward experts of a layer (MoE++, arXiv 2410.07348, section
 * 3.1): zero (no output), copy (its input), constant (a mix of its input and a learned vector). Every device holds them.
 */
export interface ZeroComputeExperts {
  readonly zero: number;
  readonly copy: number;
  readonly constant: number;
  /** How often a feed-forward expert is chosen for each time a zero-computation expert is; tau of the balance loss. */
  readonly tau: number;
}

/** Share of a token's choices that reach feed-forward experts under the balance loss: tau F / (tau F + Z). */
export function feedForwardShare(feedForwardExperts: number, others: ZeroComputeExperts): number {
  const weighted = others.tau * feedForwardExperts;
  return weighted / (weighted + others.zero + others.copy + others.constant);
}

/**
 * Operations per token of the routed experts, by kind, of a layer whose router picks topK of both kinds. A constant expert
 * multiplies its input by two gate columns and mixes two vectors: seven operations per hidden value, chosen as often
 * as any other zero-computation expert.
 */
export function expertFlops(
  moe: MoeFeedForward,
  others: ZeroComputeExperts,
): { readonly feedForward: number; readonly constant: number } {
  const share = feedForwardShare(moe.experts, others);
  const count = others.zero + others.copy + others.constant;
  const constantShare = count === 0 ? 0 : ((1 - share) * others.constant) / count;
  return {
    feedForward: moe.topK * share * 2 * expertMatrices(moe),
    constant: moe.topK * constantShare * 7 * moe.expertHidden,
  };
}
