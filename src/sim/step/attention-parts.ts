import type { MathFormat, StorageFormat } from "../../core/dtype.ts";
import type { AttentionOp, ElementwiseOp, GemmOp } from "../../hardware/op.ts";
import type { LayerCache } from "../memory/layer-cache.ts";
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
  /** What of it products take, ns. */
  productsNs(batch: RankBatch): number;
  /** What of it comes before scores, ns: products that make the queries, keys and values of the step's tokens. */
  prepareNs(batch: RankBatch): number;
}

export interface AttentionContext {
  readonly hidden: number;
  readonly tp: number;
  readonly weightFormat: StorageFormat;
  /** As in `GemmOp`. */
  readonly bytesPerWeight?: number;
  readonly kvFormat: StorageFormat;
  readonly math: MathFormat;
  readonly cost: OpTimer;
  /** Query rows of a tile where prompts and decodes share a launch; null where each has its own. */
  readonly mixedDecodeRows: number | null;
  /** Longest context of prompts that the engine computes densely though keys could be selected; 0 for none. */
  readonly sparseDenseTokens: number;
  /** Sorted distinct windows of the model; Infinity is full attention. */
  readonly windows: Float64Array;
}

/** Residual reads and writes around one mixer: two norms, one residual add. */
export const residualPasses = 6;

/** A list of products over the same tokens; one pass sums the times of all, or of those from `first` to before `end`. */
export class GemmChain {
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
      bytesPerWeight: context.bytesPerWeight,
      math: context.math,
    }));
    this.weightValues = shapes.reduce((sum, [a, b]) => sum + a * b, 0);
  }
  ns(tokens: number, first = 0, end = this.ops.length): number {
    if (tokens === 0) return 0;
    let sum = 0;
    for (let i = first; i < end; i++) {
      const op = this.ops[i]!;
      op.tokens = tokens;
      sum += this.cost.opNs(op);
    }
    return sum;
  }
}

export type HeadShape = Pick<AttentionOp, "heads" | "kvHeads" | "latent" | "widthPerPair" | "cacheBytesPerToken">;

export function scoreOp(kind: AttentionOp["kind"], shape: HeadShape, cacheFormat: StorageFormat): AttentionOp {
  return { kind, ...shape, cacheFormat, sequences: 0, queryTokens: 0, scorePairs: 0, cacheTokens: 0, math: "bf16" };
}

/** Time of a batch's decoding sequences, ns; `pairs` and `keys` are summed over them. */
export function decodeNs(cost: OpTimer, op: AttentionOp, batch: RankBatch, pairs: number, keys: number): number {
  return attentionNs(cost, op, batch.decodeSequences, batch.decodeTokens, pairs, keys);
}

/** Time of a batch's sequences that compute their prompt, ns. */
export function prefillNs(cost: OpTimer, op: AttentionOp, batch: RankBatch, pairs: number, keys: number): number {
  return attentionNs(cost, op, batch.sequences - batch.decodeSequences, batch.prefillTokens, pairs, keys);
}

export function attentionNs(
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

export function elementwiseNs(cost: OpTimer, op: ElementwiseOp, bytes: number): number {
  op.bytes = bytes;
  return cost.opNs(op);
}

/** The cache of a layer that sees the whole context, or a window of it. */
export function cacheOf(bytesPerToken: number, windowTokens: number | null, chunked = false): LayerCache {
  return windowTokens === null
    ? { kind: "full", bytesPerToken }
    : { kind: "window", bytesPerToken, windowTokens, chunked };
}
