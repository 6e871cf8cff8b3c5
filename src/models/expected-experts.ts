import { pow } from "../core/pow.ts";
import { busiestOfRanks } from "./busiest-of-ranks.ts";
import { expertsByGroup, type RankKind, rankKinds } from "./contiguous-ranks.ts";
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
  const passed = 1 - topK / experts;
  const variance = popularityCv * popularityCv;
  if (variance < leastVariance || tokens === 0 || passed === 0) return pow(passed, tokens);
  // The Gamma law's transform at the rate of the uniform law, which it becomes as the variance goes to 0.
  const rate = -Math.log1p(-topK / experts);
  const logUntouched = (count: number) => -Math.log1p(variance * rate * count) / variance;
  // Relative to one token, so that it touches topK experts whatever their popularity.
  return Math.min(1, passed * Math.exp(logUntouched(tokens) - logUntouched(1)));
}

/** Below it experts are alike: the transform differs from the uniform law by less than rounding does. */
const leastVariance = 1e-18;

/** Tokens routed independently to experts that lie on `ranks` contiguous ranks. */
export interface ExpectedRouting {
  readonly experts: number;
  readonly topK: number;
  readonly tokens: number;
  readonly ranks: number;
  readonly groups: Router["groups"];
  /** Coefficient of variation of the popularity of experts; absent: all alike. */
  readonly popularityCv?: number;
  /** Experts beside them that lie on no rank: choices of them reach none. Without groups only. Absent: none. */
  readonly zeroExperts?: number;
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
  const { experts, topK, tokens, ranks, popularityCv = 0, zeroExperts = 0 } = routing;
  const chosen = topK / (experts + zeroExperts);
  // Mean experts of a token that lie on a rank.
  const reached = zeroExperts === 0 ? topK : experts * chosen;
  const distinctAll = expectedDistinct(experts, reached, tokens, popularityCv);
  if (ranks === 1 || experts === 1) return { pairs: tokens * reached, distinct: distinctAll };
  const both = jointProbabilities(routing);
  const kinds = rankKinds(experts, ranks);
  const largestRank = kinds[0]?.experts ?? 0;
  const perExpert = tokens * chosen;
  const pairs = busiestOfRanks({
    kinds,
    sum: tokens * reached,
    spread:
      perExpert * perExpert * popularityCv * popularityCv * lastingSpread(routing, kinds) +
      rankSpread(routing, kinds, perExpert * (1 - chosen), {
        sameGroup: tokens * (both.sameGroup - chosen * chosen),
        otherGroup: tokens * (both.otherGroup - chosen * chosen),
      }),
  });
  const alike = pow(1 - chosen, tokens);
  const untouched = 1 - distinctAll / experts;
  const neither = (joint: number) => pow(Math.max(0, 1 - 2 * chosen + joint), tokens) - alike * alike;
  const distinct = busiestOfRanks({
    kinds,
    sum: distinctAll,
    spread: rankSpread(routing, kinds, untouched * (1 - untouched), {
      sameGroup: neither(both.sameGroup),
      otherGroup: neither(both.otherGroup),
    }),
  });
  const pairsMost = Math.min(pairs, tokens * Math.min(topK, largestRank));
  return { pairs: pairsMost, distinct: Math.min(distinct, largestRank, pairsMost) };
}

/** A quantity of two different experts, by whether the router has them in one group. */
interface ByGroup {
  readonly sameGroup: number;
  readonly otherGroup: number;
}

/** Probability that one token chooses both of two different experts. */
function jointProbabilities({ experts, topK, groups, zeroExperts = 0 }: ExpectedRouting): ByGroup {
  if (groups === null) {
    const both = drawnTogether(topK, experts + zeroExperts);
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

/**
 * Spread of the counts of ranks, summed over the ranks, from the variance and the covariances of single experts: the
 * mean over the ranks of the variance of a count about its share q of the total, each over q (1 - q).
 */
function rankSpread(
  routing: ExpectedRouting,
  kinds: readonly RankKind[],
  variance: number,
  covariance: ByGroup,
): number {
  const { experts, groups } = routing;
  const size = experts / (groups?.count ?? 1);
  const { within, uneven } = aboutShares(routing, kinds, size);
  const own = (variance - covariance.sameGroup) * experts * uneven;
  const shared = (covariance.sameGroup - covariance.otherGroup) * (within - experts * size * (1 - uneven));
  return Math.max(0, (own + shared) / uneven);
}

/**
 * The same of summed popularities, per variance of one expert, where experts differ independently: less what a fixed
 * number of choices per group leaves no freedom for; 0 where ranks hold whole groups.
 */
function lastingSpread(routing: ExpectedRouting, kinds: readonly RankKind[]): number {
  const { experts, groups } = routing;
  const size = groups?.topKPerGroup === undefined ? experts : experts / groups.count;
  const { within, uneven } = aboutShares(routing, kinds, size);
  return Math.max(0, experts - within / size) / uneven;
}

/** Sums over the ranks: of the squared experts in each group of `size`, and of q (1 - q) of their shares q. */
function aboutShares({ experts, ranks }: ExpectedRouting, kinds: readonly RankKind[], size: number) {
  let within = 0;
  for (let rank = 0; rank < Math.min(ranks, experts); rank++)
    for (const own of expertsByGroup(rank, experts, ranks, experts / size)) within += own * own;
  let uneven = 0;
  for (const kind of kinds) {
    const share = kind.experts / experts;
    uneven += kind.ranks * share * (1 - share);
  }
  return { within, uneven };
}
