import type { AdviceRule } from "./advice-rule.ts";
import {
  balancedPlacement,
  moreCopies,
  moreHostMemory,
  moreSlots,
  otherCachePolicy,
  overlappedFetches,
} from "./expert-rules.ts";
import {
  smallerAttention,
  smallerDense,
  smallerExperts,
  smallerHead,
  smallerKvCache,
  smallerSharedExperts,
} from "./format-rules.ts";
import {
  fewerDataParallelRanks,
  fewerStages,
  moreDataParallelRanks,
  slicedExperts,
  wholeExperts,
} from "./parallel-rules.ts";
import { movesBeside, rebalancedLess } from "./rebalance-rules.ts";
import {
  chunkedPrompts,
  fewerDrafts,
  largerChunks,
  loadAwareRouter,
  moreFrontEnds,
  moreSequences,
  prefixCaching,
  smallerChunks,
} from "./scheduler-rules.ts";

/** All advice, of one cause the most promising first: what changes no output before what does. */
export const adviceRules = {
  moreFrontEnds,
  chunkedPrompts,
  smallerChunks,
  loadAwareRouter,
  prefixCaching,
  balancedPlacement,
  moreCopies,
  movesBeside,
  rebalancedLess,
  overlappedFetches,
  moreHostMemory,
  moreSlots,
  otherCachePolicy,
  moreSequences,
  largerChunks,
  fewerDrafts,
  moreDataParallelRanks,
  fewerDataParallelRanks,
  fewerStages,
  slicedExperts,
  wholeExperts,
  smallerKvCache,
  smallerExperts,
  smallerSharedExperts,
  smallerDense,
  smallerAttention,
  smallerHead,
} as const satisfies Record<string, AdviceRule>;
