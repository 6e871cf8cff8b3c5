import { type MathFormat, type StorageFormat, storageFormats, storedBytes } from "../../core/dtype.ts";
import { activationBytes } from "../../hardware/cost/context.ts";
import type { AttentionOp, ElementwiseOp, GemmOp } from "../../hardware/op.ts";
import type { Attention, GqaAttention, LinearAttention, MlaAttention } from "../../models/spec.ts";
import type { LayerCache } from "../offload/layer-cache.ts";
import type { RankBatch } from "./batch.ts";
import type { OpTimer } from "./served-kernels.ts";

/** Token mixing of one layer class on one rank: its weights, its caches, and its time for a batch. */
export interface AttentionProgram {
  /** Matrix weights on one rank, in values. */
  readonly weightValues: number;
  /** What a sequence keeps on one rank. */
  readonly caches: readonly LayerCache[];
  /** Device time, ns, without the kernels' fixed overheads. */
  ns(batch: RankBatch): number;
}

export interface AttentionContext {
  readonly hidden: number;
  readonly tp: number;
  readonly weightFormat: StorageFormat;
  readonly kvFormat: StorageFormat;
  readonly math: MathFormat;
  readonly cost: OpTimer;
  /** Query rows of a tile where prompts and decodes share a launch; null where each has its own. */
  readonly mixedDecodeRows: number | null;
  /** Sorted distinct windows of the model; Infinity is full attention. */
  readonly windows: Float64Array;
}

/** Residual reads and writes around one mixer: two norms, one residual add. */
const residualPasses = 6;

/** Most keys that a query attends to: its sliding window, or the keys that block-sparse attention selects. */
function keyWindow(spec: GqaAttention): number {
  return Math.min(spec.windowTokens ?? Number.POSITIVE_INFINITY, spec.topTokens ?? Number.POSITIVE_INFINITY);
}

/** Tokens of context that the selected entries of a compressed cache stand for. */
function selectedSpan(spec: MlaAttention): number {
  const ratio = spec.compressed?.ratio ?? 0;
  return spec.indexer === null || ratio === 0 ? Number.POSITIVE_INFINITY : spec.indexer.topTokens * ratio;
}

/** Distinct key windows of the attention layers, for {@link RankBatch}. */
export function attentionWindows(attentions: readonly Attention[]): Float64Array {
  const windows = new Set<number>([Number.POSITIVE_INFINITY]);
  for (const attention of attentions) {
    if (attention.kind === "gqa") windows.add(keyWindow(attention));
    if (attention.kind === "mla") {
      const { compressed, indexer } = attention;
      if (compressed !== undefined) {
        windows.add(compressed.windowTokens);
        windows.add(selectedSpan(attention));
      } else if (indexer !== null) windows.add(indexer.topTokens);
    }
  }
  return Float64Array.from([...windows].sort((a, b) => a - b));
}

export function attentionProgram(attention: Attention, context: AttentionContext): AttentionProgram {
  switch (attention.kind) {
    case "gqa":
      return gqaProgram(attention, context);
    case "mla":
      return attention.compressed === undefined
        ? mlaProgram(attention, context)
        : compressedProgram(attention, attention.compressed, context);
    case "linear":
      return linearProgram(attention, context);
    case "none":
      return { weightValues: 0, caches: [], ns: () => 0 };
  }
}

/** A list of products over the same tokens; one pass sums their times. */
class GemmChain {
  readonly ops: GemmOp[];
  readonly weightValues: number;
  private readonly cost: OpTimer;
  constructor(shapes: readonly (readonly [inputWidth: number, outputWidth: number])[], context: AttentionContext) {
    this.cost = context.cost;
    this.ops = shapes.map(([inputWidth, outputWidth]) => ({
      kind: "gemm",
      tokens: 0,
      inputWidth,
      outputWidth,
      weightFormat: context.weightFormat,
      math: context.math,
    }));
    this.weightValues = shapes.reduce((sum, [a, b]) => sum + a * b, 0);
  }
  ns(tokens: number): number {
    if (tokens === 0) return 0;
    let sum = 0;
    for (const op of this.ops) {
      op.tokens = tokens;
      sum += this.cost.opNs(op);
    }
    return sum;
  }
}

type HeadShape = Pick<AttentionOp, "heads" | "kvHeads" | "latent" | "widthPerPair" | "cacheBytesPerToken">;

function scoreOp(kind: AttentionOp["kind"], shape: HeadShape, cacheFormat: StorageFormat): AttentionOp {
  return { kind, ...shape, cacheFormat, sequences: 0, queryTokens: 0, scorePairs: 0, cacheTokens: 0, math: "bf16" };
}

/** Time of a batch's decoding sequences, ns; `pairs` and `keys` are summed over them. */
function decodeNs(cost: OpTimer, op: AttentionOp, batch: RankBatch, pairs: number, keys: number): number {
  return attentionNs(cost, op, batch.decodeSequences, batch.decodeTokens, pairs, keys);
}

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

/** Time of a batch's sequences that compute their prompt, ns. */
function prefillNs(cost: OpTimer, op: AttentionOp, batch: RankBatch, pairs: number, keys: number): number {
  return attentionNs(cost, op, batch.sequences - batch.decodeSequences, batch.prefillTokens, pairs, keys);
}

function attentionNs(
  cost: OpTimer,
  op: AttentionOp,
  sequences: number,
  queries: number,
  pairs: number,
  keys: number,
): number {
  if (queries === 0) return 0;
  op.sequences = sequences;
  op.queryTokens = queries;
  op.scorePairs = pairs;
  op.cacheTokens = keys;
  return cost.opNs(op);
}

function elementwiseNs(cost: OpTimer, op: ElementwiseOp, bytes: number): number {
  op.bytes = bytes;
  return cost.opNs(op);
}

/** The cache of a layer that sees the whole context, or a window of it. */
function cacheOf(bytesPerToken: number, windowTokens: number | null, chunked = false): LayerCache {
  return windowTokens === null
    ? { kind: "full", bytesPerToken }
    : { kind: "window", bytesPerToken, windowTokens, chunked };
}

function gqaProgram(spec: GqaAttention, context: AttentionContext): AttentionProgram {
  const { hidden, tp, cost, windows, mixedDecodeRows } = context;
  const heads = spec.queryHeads / tp;
  // With more ranks than KV heads, the heads are replicated.
  const kvHeads = Math.max(1, spec.kvHeads / tp);
  const valueHeadDim = spec.valueHeadDim ?? spec.headDim;
  const keyAndValue = kvHeads * (spec.headDim + (spec.keyIsValue === true ? 0 : valueHeadDim));
  const chain = new GemmChain(
    [
      [hidden, heads * spec.headDim * (spec.outputGate ? 2 : 1) + keyAndValue],
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
  const bytesPerToken = residualPasses * hidden * activationBytes + cacheBytes;
  const scoreNs = (batch: RankBatch): number => {
    const apart =
      decodeNs(cost, decode, batch, batch.decodePairs[window]!, batch.decodeKeys[window]!) +
      prefillNs(cost, prefill, batch, batch.prefillPairs[window]!, batch.prefillKeys[window]!);
    if (mixedDecodeRows === null || batch.prefillTokens === 0) return apart;
    return apart + sharedLaunchExtraNs(cost, prefill, batch, window, mixedDecodeRows, apart);
  };
  return {
    weightValues: chain.weightValues,
    caches: [cacheOf(cacheBytes, spec.windowTokens, spec.chunked === true)],
    ns: (batch) =>
      chain.ns(batch.tokens) + scoreNs(batch) + elementwiseNs(cost, elementwise, batch.tokens * bytesPerToken),
  };
}

/**
 * Multi-head latent attention. Down-projections are replicated over tensor-parallel ranks. Decoding uses the absorbed
 * form (scores against the latent cache), prefill the expanded one (DeepSeek-V2, section 2.1 and appendix C).
 */
function mlaProgram(spec: MlaAttention, context: AttentionContext): AttentionProgram {
  const { hidden, tp, cost, windows } = context;
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
  // Key and value up-projection of the prefill path. The absorbed products of the decode path hold the same weights.
  const expand = new GemmChain([[spec.kvLoraRank, heads * (spec.nopeHeadDim + spec.valueHeadDim)]], context);
  const absorb = new GemmChain([[spec.kvLoraRank, heads * (spec.nopeHeadDim + spec.valueHeadDim)]], context);
  const valueBytes = storageFormats[context.kvFormat].bitsPerValue / 8;
  const cacheBytes = latent * valueBytes;
  const indexBytes = indexer === null ? 0 : indexer.headDim * valueBytes;
  const full = windows.indexOf(Number.POSITIVE_INFINITY);
  const window = spec.indexer === null ? full : windows.indexOf(spec.indexer.topTokens);
  const shape = { heads, kvHeads: 1, latent: true, cacheBytesPerToken: cacheBytes };
  const decode = scoreOp("attentionDecode", { ...shape, widthPerPair: latent + spec.kvLoraRank }, context.kvFormat);
  const prefill = scoreOp(
    "attentionPrefill",
    { ...shape, widthPerPair: queryHead + spec.valueHeadDim },
    context.kvFormat,
  );
  const index = scoreOp(
    "attentionDecode",
    {
      heads: indexer?.heads ?? 0,
      kvHeads: 1,
      latent: false,
      widthPerPair: indexer?.headDim ?? 0,
      cacheBytesPerToken: indexBytes,
    },
    context.kvFormat,
  );
  const elementwise: ElementwiseOp = { kind: "elementwise", bytes: 0 };
  const bytesPerToken = residualPasses * hidden * activationBytes + cacheBytes + indexBytes;
  return {
    weightValues: chain.weightValues + expand.weightValues,
    caches: [cacheOf(cacheBytes + indexBytes, null)],
    ns: (batch) => {
      let sum = chain.ns(batch.tokens) + expand.ns(batch.prefillTokens) + absorb.ns(batch.decodeTokens);
      sum += decodeNs(cost, decode, batch, batch.decodePairs[window]!, batch.decodeKeys[window]!);
      sum += prefillNs(cost, prefill, batch, batch.prefillPairs[window]!, batch.prefillKeys[full]!);
      if (indexer !== null) {
        const pairs = batch.decodePairs[full]! + batch.prefillPairs[full]!;
        sum += attentionNs(
          cost,
          index,
          batch.sequences,
          batch.tokens,
          pairs,
          batch.decodeKeys[full]! + batch.prefillKeys[full]!,
        );
      }
      return sum + elementwiseNs(cost, elementwise, batch.tokens * bytesPerToken);
    },
  };
}

/** Attention over a window of recent tokens and one cached entry per `ratio` older tokens (DeepSeek-V4). */
function compressedProgram(
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
  const prefill = scoreOp("attentionPrefill", shape, context.kvFormat);
  const elementwise: ElementwiseOp = { kind: "elementwise", bytes: 0 };
  const keys = (sums: Float64Array) => sums[recent]! + sums[older]! * perEntry;
  return {
    weightValues: chain.weightValues,
    caches: [
      ...(perEntry === 0 ? [] : [cacheOf((latent + indexValues) * valueBytes * perEntry, null)]),
      cacheOf(latent * valueBytes, compressed.windowTokens),
    ],
    ns: (batch) =>
      chain.ns(batch.tokens) +
      decodeNs(cost, decode, batch, keys(batch.decodePairs), keys(batch.decodeKeys)) +
      prefillNs(cost, prefill, batch, keys(batch.prefillPairs), keys(batch.prefillKeys)) +
      elementwiseNs(cost, elementwise, batch.tokens * residualPasses * hidden * activationBytes),
  };
}

function linearProgram(spec: LinearAttention, context: AttentionContext): AttentionProgram {
  const { hidden, tp, cost } = context;
  const chain = new GemmChain([[hidden, spec.projectionParameters / hidden / tp]], context);
  const stateBytes = storedBytes(spec.stateValues, spec.stateFormat ?? context.kvFormat) / tp;
  const elementwise: ElementwiseOp = { kind: "elementwise", bytes: 0 };
  return {
    weightValues: chain.weightValues,
    caches: [{ kind: "state", bytes: stateBytes }],
    // The state is read and written once per sequence and step.
    ns: (batch) =>
      chain.ns(batch.tokens) +
      elementwiseNs(
        cost,
        elementwise,
        batch.sequences * 2 * stateBytes + batch.tokens * residualPasses * hidden * activationBytes,
      ),
  };
}
