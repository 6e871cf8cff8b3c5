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

type Choices = Pick<MoeFeedForward, "experts" | "topK" | "zeroExperts">;

/** Experts that a router chooses from: those that compute and those that return their input. */
export const routableExperts = ({ experts, zeroExperts = 0 }: Choices): number => experts + zeroExperts;

/**
 * Experts that compute for a token on the mean: all of `topK`, unless some choices fall on experts that return their
 * input. These are taken to be chosen as often as any other.
 */
export function computedTopK({ experts, topK, zeroExperts = 0 }: Choices): number {
  if (zeroExperts === 0) return topK;
  return topK * feedForwardShare(experts, { zero: 0, copy: zeroExperts, constant: 0, tau: 1 });
}

/** The fewest and the most experts that compute for a token. */
export function computedRange({ experts, topK, zeroExperts = 0 }: Choices): { fewest: number; most: number } {
  return { fewest: Math.max(0, topK - zeroExperts), most: Math.min(topK, experts) };
}
