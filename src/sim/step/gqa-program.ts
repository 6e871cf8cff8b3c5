import { storageFormats } from "../../core/dtype.ts";
import { activationBytes } from "../../hardware/cost/context.ts";
import type { AttentionOp, ElementwiseOp } from "../../hardware/op.ts";
import type { GqaAttention } from "../../models/spec.ts";
import {
  type AttentionContext,
  type AttentionProgram,
  attentionNs,
  cacheOf,
  decodeNs,
  elementwiseNs,
  GemmChain,
  prefillNs,
  residualPasses,
  scoreOp,
} from "./attention-parts.ts";
import { keyWindow } from "./attention-windows.ts";
import type { RankBatch } from "./batch.ts";
import type { OpTimer } from "./served-kernels.ts";

/** Prompt tokens from which decodes are known to ride in the launch of the kernel for prompts. */
const fewestTiledTokens = 16;

/**
 * What decodes take longer, ns, where one launch of the kernel for prompts holds the whole batch. A tile holds `rows`
 * query rows of one head and sequence: a decoding sequence uses one row of its tile and pays for all. `apartNs` is the
 * time in two launches. A prompt of one token is a decode to the kernel; the extra time grows from there to
 * `fewestTiledTokens`, the fewest that were measured.
 */
function sharedLaunchExtraNs(
  cost: OpTimer,
  prefill: AttentionOp,
  batch: RankBatch,
  window: number,
  rows: number,
  apartNs: number,
): number {
  const promptSequences = batch.sequences - batch.decodeSequences;
  const share = Math.min(1, (batch.prefillTokens - promptSequences) / (fewestTiledTokens - 1));
  if (batch.decodeTokens === 0 || share <= 0) return 0;
  const launched = attentionNs(
    cost,
    prefill,
    batch.sequences,
    batch.prefillTokens + rows * batch.decodeTokens,
    batch.prefillPairs[window]! + rows * batch.decodePairs[window]!,
    batch.prefillKeys[window]! + batch.decodeKeys[window]!,
  );
  return share * Math.max(0, launched - apartNs);
}

export function gqaProgram(spec: GqaAttention, context: AttentionContext): AttentionProgram {
  const { hidden, tp, cost, windows, mixedDecodeRows } = context;
  const heads = spec.queryHeads / tp;
  // With more ranks than KV heads, the heads are replicated.
  const kvHeads = Math.max(1, spec.kvHeads / tp);
  const valueHeadDim = spec.valueHeadDim ?? spec.headDim;
  const shared = spec.sharedCache === true;
  const keyAndValue = shared ? 0 : kvHeads * (spec.headDim + (spec.keyIsValue === true ? 0 : valueHeadDim));
  const queries = heads * spec.headDim * (spec.outputGate ? 2 : 1);
  const chain = new GemmChain(
    [
      // The first step of a query projection in two is held by every rank.
      [hidden, (spec.queryRank ?? queries) + keyAndValue],
      ...(spec.queryRank === undefined ? [] : [[spec.queryRank, queries] as const]),
      [heads * valueHeadDim, hidden],
    ],
    context,
  );
  const width = spec.headDim + valueHeadDim;
  const cacheBytes = (kvHeads * width * storageFormats[context.kvFormat].bitsPerValue) / 8;
  const window = windows.indexOf(keyWindow(spec));
  const shape = { heads, kvHeads, latent: false, widthPerPair: width, cacheBytesPerToken: cacheBytes };
  const decode = scoreOp("attentionDecode", shape, context.kvFormat);
  const prefill = scoreOp("attentionPrefill", shape, context.kvFormat);
  const elementwise: ElementwiseOp = { kind: "elementwise", bytes: 0 };
  const bytesPerToken = residualPasses * hidden * activationBytes + (shared ? 0 : cacheBytes);
  const scoreNs = (batch: RankBatch): number => {
    const apart =
      decodeNs(cost, decode, batch, batch.decodePairs[window]!, batch.decodeKeys[window]!) +
      prefillNs(cost, prefill, batch, batch.prefillPairs[window]!, batch.prefillKeys[window]!);
    if (mixedDecodeRows === null || batch.prefillTokens === 0) return apart;
    return apart + sharedLaunchExtraNs(cost, prefill, batch, window, mixedDecodeRows, apart);
  };
  return {
    weightValues: chain.weightValues,
    caches: shared ? [] : [cacheOf(cacheBytes, spec.windowTokens, spec.chunked === true)],
    ns: (batch) =>
      chain.ns(batch.tokens) + scoreNs(batch) + elementwiseNs(cost, elementwise, batch.tokens * bytesPerToken),
    productsNs: (batch) => chain.ns(batch.tokens),
    prepareNs: (batch) => chain.ns(batch.tokens, 0, 1),
  };
}
