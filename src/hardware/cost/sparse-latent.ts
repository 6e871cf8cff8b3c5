import type { SparseLatentOp } from "../op.ts";
import {
  activationBytes,
  type CostContext,
  nsPerByte,
  nsPerFlop,
  nsPerSecond,
  type OpCost,
  roofline,
} from "./context.ts";
import type { OpWork } from "./mapped.ts";

/** What every kernel has to do, without padding: read the cache once, and compute every score pair. */
export const sparseLatentWork: OpWork<SparseLatentOp> = {
  bytes: (op) => op.cacheTokens * op.cacheBytesPerToken,
  flops: (op) => 2 * op.scorePairs * op.heads * op.widthPerPair,
  math: (op) => op.math,
};

/** Heads that a kernel computes whose tile is filled by `tileHeads` of them. */
export function paddedHeads(heads: number, tileHeads: number): number {
  return Math.ceil(heads / tileHeads) * tileHeads;
}

/**
 * Arithmetic of all heads of the tile, those that pad it included, beside the gathers: every query gathers entries of
 * its own. Most come from the last-level cache; from memory each entry comes once.
 */
export function sparseLatentCost({ device }: CostContext): OpCost<SparseLatentOp> {
  const { attentionDecodeMemory, attentionPrefillCompute, rooflineNorm } = device.efficiency;
  const { sparseLatentCompute, sparseLatentHeads, sparseGatherBytesPerSecond } = device.efficiency;
  const perByte = nsPerByte(device, attentionDecodeMemory);
  const perGatheredByte = sparseGatherBytesPerSecond === undefined ? 0 : nsPerSecond / sparseGatherBytesPerSecond;
  const perFlop = nsPerFlop(device, sparseLatentCompute ?? attentionPrefillCompute);
  const tileHeads = sparseLatentHeads ?? 1;
  return (op) => {
    if (op.queryTokens === 0) return 0;
    const heads = paddedHeads(op.heads, Math.min(tileHeads, op.tileHeadsMax));
    const flops = 2 * op.scorePairs * heads * op.widthPerPair;
    const queryBytes = activationBytes * op.queryTokens * op.heads * op.widthPerPair;
    const memoryNs = (op.cacheTokens * op.cacheBytesPerToken + queryBytes) * perByte;
    const gatherNs = op.scorePairs * op.cacheBytesPerToken * perGatheredByte;
    return roofline(Math.max(memoryNs, gatherNs), flops * perFlop[op.math], rooflineNorm);
  };
}
