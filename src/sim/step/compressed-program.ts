import { storageFormats } from "../../core/dtype.ts";
import { activationBytes } from "../../hardware/cost/context.ts";
import type { ElementwiseOp, SparseLatentOp } from "../../hardware/op.ts";
import type { MlaAttention } from "../../models/spec.ts";
import {
  type AttentionContext,
  type AttentionProgram,
  cacheOf,
  decodeNs,
  elementwiseNs,
  GemmChain,
  residualPasses,
  scoreOp,
} from "./attention-parts.ts";
import { selectedSpan } from "./attention-windows.ts";
import type { RankBatch } from "./batch.ts";
import { indexTime } from "./index-time.ts";

/** Attention over a window of recent tokens and one cached entry per `ratio` older tokens (DeepSeek-V4). */
export function compressedProgram(
  spec: MlaAttention,
  compressed: NonNullable<MlaAttention["compressed"]>,
  context: AttentionContext,
): AttentionProgram {
  const { hidden, tp, cost, windows } = context;
  const { ratio } = compressed;
  const latent = spec.kvLoraRank + spec.ropeHeadDim;
  const chain = new GemmChain([[hidden, compressed.projectionParameters / hidden / tp]], context);
  const valueBytes = storageFormats[context.kvFormat].bitsPerValue / 8;
  const indexValues = spec.indexer === null || spec.indexerShared === true ? 0 : spec.indexer.headDim;
  const recent = windows.indexOf(compressed.windowTokens);
  const older = windows.indexOf(selectedSpan(spec));
  const perEntry = ratio === 0 ? 0 : 1 / ratio;
  const heads = spec.queryHeads / tp;
  const shape = {
    heads,
    kvHeads: 1,
    latent: true,
    widthPerPair: 2 * latent,
    cacheBytesPerToken: latent * valueBytes,
  };
  const decode = scoreOp("attentionDecode", shape, context.kvFormat);
  const prompt: SparseLatentOp = {
    kind: "sparseLatent",
    queryTokens: 0,
    scorePairs: 0,
    cacheTokens: 0,
    heads,
    // Keys of 512 values: a tile of 64 heads on every architecture (FlashMLA, fwd/head64).
    tileHeadsMax: 64,
    widthPerPair: shape.widthPerPair,
    cacheBytesPerToken: shape.cacheBytesPerToken,
    math: "bf16",
  };
  const elementwise: ElementwiseOp = { kind: "elementwise", bytes: 0 };
  const keys = (sums: Float64Array) => sums[recent]! + sums[older]! * perEntry;
  const promptNs = (batch: RankBatch): number => {
    prompt.queryTokens = batch.prefillTokens;
    prompt.scorePairs = keys(batch.prefillPairs);
    prompt.cacheTokens = keys(batch.prefillKeys);
    return cost.opNs(prompt);
  };
  const indexNs =
    spec.indexer === null || indexValues === 0
      ? () => 0
      : indexTime(cost, spec.indexer, windows.indexOf(Number.POSITIVE_INFINITY), perEntry);
  return {
    weightValues: chain.weightValues,
    caches: [
      ...(perEntry === 0 ? [] : [cacheOf((latent + indexValues) * valueBytes * perEntry, null)]),
      cacheOf(latent * valueBytes, compressed.windowTokens),
    ],
    ns: (batch) =>
      chain.ns(batch.tokens) +
      decodeNs(cost, decode, batch, keys(batch.decodePairs), keys(batch.decodeKeys)) +
      promptNs(batch) +
      indexNs(batch) +
      elementwiseNs(cost, elementwise, batch.tokens * residualPasses * hidden * activationBytes),
    productsNs: (batch) => chain.ns(batch.tokens),
    // Projections before and after the scores are one product: half of it, and the selection of keys.
    prepareNs: (batch) => chain.ns(batch.tokens) / 2 + indexNs(batch),
  };
}
