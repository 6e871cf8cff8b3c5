import { storageFormats } from "../../core/dtype.ts";
import { activationBytes } from "../../hardware/cost/context.ts";
import { paddedHeads } from "../../hardware/cost/sparse-latent.ts";
import type { ElementwiseOp, SparseLatentOp } from "../../hardware/op.ts";
import type { MlaAttention } from "../../models/spec.ts";
import {
  type AttentionContext,
  type AttentionProgram,
  cacheOf,
  decodeNs,
  elementwiseNs,
  GemmChain,
  prefillNs,
  residualPasses,
  scoreOp,
} from "./attention-parts.ts";
import type { RankBatch } from "./batch.ts";
import { indexTime } from "./index-time.ts";

/**
 * Multi-head latent attention. Down-projections are replicated over tensor-parallel ranks. Decoding uses the absorbed
 * form (scores against the latent cache), prefill the expanded one (DeepSeek-V2, section 2.1 and appendix C). With an
 * indexer (DeepSeek-V3.2) prefill is absorbed too: each query gathers the keys selected for it. Some engines compute
 * prompts densely while their context is short.
 */
export function mlaProgram(spec: MlaAttention, context: AttentionContext): AttentionProgram {
  const { hidden, tp, cost, windows, sparseDenseTokens } = context;
  const heads = spec.queryHeads / tp;
  const queryHead = spec.nopeHeadDim + spec.ropeHeadDim;
  const latent = spec.kvLoraRank + spec.ropeHeadDim;
  const query: [number, number][] =
    spec.queryLoraRank === null
      ? [[hidden, heads * queryHead]]
      : [
          [hidden, spec.queryLoraRank],
          [spec.queryLoraRank, heads * queryHead],
        ];
  // Layers that share a selection have no indexer of their own: they only read the selected keys.
  const indexer = spec.indexerShared === true ? null : spec.indexer;
  const gate: [number, number][] = spec.outputGate === true ? [[hidden, heads * spec.valueHeadDim]] : [];
  if (spec.headGate === true) gate.push([hidden, heads]);
  const indexing: [number, number][] =
    indexer === null
      ? []
      : [
          [spec.queryLoraRank ?? hidden, indexer.heads * indexer.headDim],
          [hidden, indexer.headDim + indexer.heads],
        ];
  const chain = new GemmChain(
    [...query, [hidden, latent], [heads * spec.valueHeadDim, hidden], ...gate, ...indexing],
    context,
  );
  // Key and value up-projection of the expanded form. The products of the absorbed form hold the same weights.
  const expand = new GemmChain([[spec.kvLoraRank, heads * (spec.nopeHeadDim + spec.valueHeadDim)]], context);
  const absorb = new GemmChain([[spec.kvLoraRank, heads * (spec.nopeHeadDim + spec.valueHeadDim)]], context);
  const valueBytes = storageFormats[context.kvFormat].bitsPerValue / 8;
  const cacheBytes = latent * valueBytes;
  const indexBytes = indexer === null ? 0 : indexer.headDim * valueBytes;
  const full = windows.indexOf(Number.POSITIVE_INFINITY);
  const selection = spec.indexer?.topTokens ?? null;
  const window = selection === null ? full : windows.indexOf(selection);
  const shape = { heads, kvHeads: 1, latent: true, cacheBytesPerToken: cacheBytes };
  const absorbedWidth = latent + spec.kvLoraRank;
  // The sparse kernel for decodes pads heads like the one for prompts, but to no more than 64 (FlashMLA, h_q).
  const tileHeads = Math.min(64, cost.device.efficiency.sparseLatentHeads ?? 1);
  const decode = scoreOp(
    "attentionDecode",
    { ...shape, heads: selection === null ? heads : paddedHeads(heads, tileHeads), widthPerPair: absorbedWidth },
    context.kvFormat,
  );
  const prefill = scoreOp(
    "attentionPrefill",
    { ...shape, widthPerPair: queryHead + spec.valueHeadDim },
    context.kvFormat,
  );
  const sparse: SparseLatentOp = {
    kind: "sparseLatent",
    queryTokens: 0,
    scorePairs: 0,
    cacheTokens: 0,
    heads,
    tileHeadsMax: Number.POSITIVE_INFINITY,
    widthPerPair: absorbedWidth,
    cacheBytesPerToken: cacheBytes,
    math: "bf16",
  };
  const elementwise: ElementwiseOp = { kind: "elementwise", bytes: 0 };
  const bytesPerToken = residualPasses * hidden * activationBytes + cacheBytes + indexBytes;
  const indexNs = indexer === null ? () => 0 : indexTime(cost, indexer, full, 1);
  const isDense = (batch: RankBatch) => selection === null || batch.longestPromptContext <= sparseDenseTokens;
  const denseNs = (batch: RankBatch): number =>
    expand.ns(batch.keyTokens) +
    absorb.ns(batch.decodeTokens) +
    prefillNs(cost, prefill, batch, batch.prefillPairs[full]!, batch.prefillKeys[full]!);
  const sparseNs = (batch: RankBatch, keysPerQuery: number): number => {
    sparse.queryTokens = batch.prefillTokens;
    // The list of selected keys has one length: with fewer keys in sight the rest is computed and masked.
    sparse.scorePairs = batch.prefillTokens * keysPerQuery;
    sparse.cacheTokens = batch.prefillKeys[full]!;
    return absorb.ns(batch.tokens) + cost.opNs(sparse);
  };
  // Down-projections of queries and keys lie before the output product in the chain, those of the indexer at its end.
  const outputAt = query.length + 1;
  const indexingAt = outputAt + 1 + gate.length;
  const absorbedQueries = spec.nopeHeadDim / (spec.nopeHeadDim + spec.valueHeadDim);
  return {
    weightValues: chain.weightValues + expand.weightValues,
    caches: [cacheOf(cacheBytes + indexBytes, null)],
    ns: (batch) =>
      chain.ns(batch.tokens) +
      decodeNs(cost, decode, batch, batch.decodePairs[window]!, batch.decodeKeys[window]!) +
      (selection === null || isDense(batch) ? denseNs(batch) : sparseNs(batch, selection)) +
      indexNs(batch) +
      elementwiseNs(cost, elementwise, batch.tokens * bytesPerToken),
    productsNs: (batch) =>
      isDense(batch)
        ? chain.ns(batch.tokens) + expand.ns(batch.keyTokens) + absorb.ns(batch.decodeTokens)
        : chain.ns(batch.tokens) + absorb.ns(batch.tokens),
    prepareNs: (batch) =>
      chain.ns(batch.tokens, 0, outputAt) +
      chain.ns(batch.tokens, indexingAt) +
      absorbedQueries * absorb.ns(batch.decodeTokens) +
      indexNs(batch),
  };
}
