import {
  balancedPlacement,
  moreCopies,
  moreHostMemory,
  moreSlots,
  otherCachePolicy,
  overlappedFetches,
} from "../../advice/expert-rules.ts";
import { smallerExperts, smallerKvCache } from "../../advice/format-rules.ts";
import { slicedExperts } from "../../advice/parallel-rules.ts";
import {
  chunkedPrompts,
  largerChunks,
  loadAwareRouter,
  moreFrontEnds,
  prefixCaching,
  smallerChunks,
} from "../../advice/scheduler-rules.ts";
import { fasterDisk, fasterHostMemory, fasterSlot, moreReplicas } from "./other-parts.ts";
import { fasterLinks, fasterMemory, largerMemory, moreFlops, roomForExperts } from "./other-systems.ts";
import { advised, type PurchaseRule } from "./purchase-rule.ts";

/** What can be had, by the ideals that it goes towards: of one ideal settings first, then hardware, then what changes answers. */
export const purchases = {
  balancedPlacement: advised(balancedPlacement, "perfectBalance"),
  moreCopies: advised(moreCopies, "perfectBalance"),
  slicedExperts: advised(slicedExperts, "perfectBalance", "freeExchange"),
  moreSlots: advised(moreSlots, "residentExperts"),
  overlappedFetches: advised(overlappedFetches, "residentExperts", "freeHostLink"),
  moreHostMemory: advised(moreHostMemory, "residentExperts", "freeDisk"),
  otherCachePolicy: advised(otherCachePolicy, "residentExperts"),
  largerChunks: advised(largerChunks, "noKernelOverhead", "noHostOverhead"),
  moreFrontEnds: advised(moreFrontEnds, "noRequestOverhead"),
  chunkedPrompts: advised(chunkedPrompts, "shortPrompts"),
  smallerChunks: advised(smallerChunks, "shortPrompts"),
  prefixCaching: advised(prefixCaching, "shortPrompts"),
  loadAwareRouter: advised(loadAwareRouter, "shortPrompts", "halfLoad"),
  roomForExperts,
  fasterMemory,
  moreFlops,
  fasterLinks,
  fasterSlot,
  fasterDisk,
  fasterHostMemory,
  largerMemory,
  moreReplicas,
  smallerKvCache: advised(smallerKvCache, "twiceKv"),
  smallerExperts: advised(smallerExperts, "infiniteMemory", "residentExperts"),
} as const satisfies Record<string, PurchaseRule>;
