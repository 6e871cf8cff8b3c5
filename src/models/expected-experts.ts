import { pow } from "../core/pow.ts";
import { busiestOfRanks } from "./busiest-of-ranks.ts";
import type { Router } from "./spec.ts";

/**
 * Expected distinct experts that `tokens` independently routed tokens touch. Experts alike (`popularityCv` 0): experts x
 * (1 - (1 - topK / experts)^tokens), which holds for group-limited and grouped top-k too, because each expert is chosen
 * by a token with probability topK / experts whichever groups there are. Otherwise popularities follow a Gamma law with
 * that coefficient of variation, whose Laplace transform gives the share of experts left untouched.
 */
export function expectedDistinct(experts: number, topK: number, tokens: number, popularityCv = 0): number {
  return experts * (1 - untouchedShare(experts, topK, tokens, popularityCv));
}

/** Probability that `tokens` tokens all pass an expert by. */
function untouchedShare(experts: number, topK: number, tokens: number, popularityCv: number): number {
  const alike = pow(1 - topK / experts, tokens);
  if (popularityCv === 0 || tokens === 0) return alike;
  const variance = popularityCv * popularityCv;
  // In the exponent of the uniform law, so that one token touches topK experts whatever their popularity.
  const once = pow(1 + (variance * topK) / experts, -1 / variance);
  const ratio = (1 - topK / experts) / once;
  return Math.min(1, pow(1 + (variance * topK * tokens) / experts, -1 / variance) * ratio);
}

/** Tokens routed independently to experts that lie on `ranks` equal contiguous ranks. */
export interface ExpectedRouting {
  readonly experts: number;
  readonly topK: number;
  readonly tokens: number;
  readonly ranks: number;
  readonly groups: Router["groups"];
  /** Coefficient of variation of the popularity of experts; absent: all alike. */
  readonly popularityCv?: number;
}

/** The most loaded rank: the expected largest number of pairs of any rank, and of distinct experts of any rank. */
export interface BusiestRank {
  readonly pairs: number;
  readonly distinct: number;
}

/**
 * Expected maximum over the ranks of token-expert pairs and, separately, of distinct experts touched: the rank with most
 * pairs bounds large batches and the one with most experts small ones. One rank gives the means.
 */
export function expectedBusiestRank(routing: ExpectedRouting): BusiestRank {
  const { experts, topK, tokens, ranks, popularityCv = 0 } = routing;
  const distinctAll = expectedDistinct(experts, topK, tokens, popularityCv);
  if (ranks === 1) return { pairs: tokens * topK, distinct: distinctAll };
  const chosen = topK / experts;
  const both = jointProbabilities(routing);
  const lasting = popularityCv * popularityCv * lastingSpread(routing);
  const perExpert = tokens * chosen;
  const pairs = busiestOfRanks({
    ranks,
    sum: tokens * topK,
    spread:
      perExpert * perExpert * lasting +
      rankSpread(routing, perExpert * (1 - chosen), {
        sameGroup: tokens * (both.sameGroup - chosen * chosen),
        otherGroup: tokens * (both.otherGroup - chosen * chosen),
      }),
  });
  const alike = pow(1 - chosen, tokens);
  const untouched = 1 - distinctAll / experts;
  const neither = (joint: number) => pow(Math.max(0, 1 - 2 * chosen + joint), tokens) - alike * alike;
  const distinct = busiestOfRanks({
    ranks,
    sum: distinctAll,
    spread: rankSpread(routing, untouched * (1 - untouched), {
      sameGroup: neither(both.sameGroup),
      otherGroup: neither(both.otherGroup),
    }),
  });
  const pairsMost = Math.min(pairs, tokens * Math.min(topK, experts / ranks));
  return { pairs: pairsMost, distinct: Math.min(distinct, experts / ranks, pairsMost) };
}

/** A quantity of two different experts, by whether the router has them in one group. */
interface ByGroup {
  readonly sameGroup: number;
  readonly otherGroup: number;
}

/** Probability that one token chooses both of two different experts. */
function jointProbabilities({ experts, topK, groups }: ExpectedRouting): ByGroup {
  if (groups === null) {
    const both = drawnTogether(topK, experts);
    return { sameGroup: both, otherGroup: both };
  }
  const { count, kept, topKPerGroup } = groups;
  const size = experts / count;
  const groupKept = kept / count;
  const groupsKept = drawnTogether(kept, count);
  if (topKPerGroup === undefined) {
    const both = drawnTogether(topK, kept * size);
    return { sameGroup: groupKept * both, otherGroup: groupsKept * both };
  }
  const share = topKPerGroup / size;
  return { sameGroup: groupKept * drawnTogether(topKPerGroup, size), otherGroup: groupsKept * share * share };
}

/** Probability that two given items are among `drawn` of `items`. */
function drawnTogether(drawn: number, items: number): number {
  return items <= 1 ? 0 : (drawn * (drawn - 1)) / (items * (items - 1));
}

/** Variance of a rank's count less the mean covariance of two ranks, from the variance and covariances of experts. */
function rankSpread({ experts, ranks, groups }: ExpectedRouting, variance: number, covariance: ByGroup): number {
  const size = experts / (groups?.count ?? 1);
  const withinRank = experts / ranks;
  const sameGroup = meanPeers(experts, withinRank, size);
  const rankVariance =
    withinRank * (variance + sameGroup * covariance.sameGroup + (withinRank - 1 - sameGroup) * covariance.otherGroup);
  const allVariance =
    experts * (variance + (size - 1) * covariance.sameGroup + (experts - size) * covariance.otherGroup);
  return Math.max(0, rankVariance - (allVariance / ranks - rankVariance) / (ranks - 1));
}

/**
 * Spread of the summed popularities of a rank where experts differ independently, per variance of one expert: its
 * experts, less what a fixed number of choices per group leaves no freedom for; 0 where a rank holds whole groups.
 */
function lastingSpread({ experts, ranks, groups }: ExpectedRouting): number {
  const withinRank = experts / ranks;
  const size = groups?.topKPerGroup === undefined ? experts : experts / groups.count;
  return (withinRank * (1 - (1 + meanPeers(experts, withinRank, size)) / size) * ranks) / (ranks - 1);
}

/** Mean number of other experts that share both the rank and the group of an expert. */
function meanPeers(experts: number, rankSize: number, groupSize: number): number {
  let together = 0;
  for (let start = 0; start < experts; ) {
    const rankEnd = (Math.floor(start / rankSize) + 1) * rankSize;
    const groupEnd = (Math.floor(start / groupSize) + 1) * groupSize;
    const end = Math.min(experts, rankEnd, groupEnd);
    together += (end - start) * (end - start - 1);
    start = end;
  }
  return together / experts;
}
