import { feedForwardShare, type ZeroComputeExperts } from "./expert-choices.ts";
import { expertMatrices } from "./parameters.ts";
import type { MoeFeedForward } from "./spec.ts";

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
