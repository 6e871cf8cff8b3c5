import type { MathFormat, StorageFormat } from "../core/dtype.ts";

/** A dense matrix product [tokens, inputWidth] x [inputWidth, outputWidth]. */
export interface GemmOp {
  kind: "gemm";
  tokens: number;
  inputWidth: number;
  outputWidth: number;
  weightFormat: StorageFormat;
  /** Bytes of a weight where they are not those of the usual layout of the format: other groups of scales, a mixture. */
  bytesPerWeight?: number | undefined;
  math: MathFormat;
}

/** Routed experts of one layer on one rank: gate, up and down products of every expert with a token. */
export interface GroupedGemmOp {
  kind: "groupedGemm";
  /** (token, expert) pairs computed on this rank. */
  pairs: number;
  /** Experts with at least one token on this rank: each is read from memory once. */
  distinctExperts: number;
  /** (token, expert) pairs of all tokens given to the kernel, those computed on other ranks too; 0: only its own. */
  presentedPairs: number;
  /** Weights of one expert on this rank (after expert tensor parallelism). */
  parametersPerExpert: number;
  /** Columns of one expert's inner layer on this rank: expert width / expert tensor parallelism. */
  shardWidth: number;
  /** Input and output values of one pair: hidden + width traffic of activations. */
  valuesPerPair: number;
  weightFormat: StorageFormat;
  /** As in {@link GemmOp}. */
  bytesPerWeight?: number | undefined;
  math: MathFormat;
  /**
   * Layout of tokens that an exchange library sent to their experts, for kernels made for it (DeepGEMM's): rows of all
   * experts one after the other, or a block of rows for each of which a part is filled. Absent: any other kernel.
   */
  sent?: "contiguous" | "masked" | undefined;
}

/**
 * Attention scores and weighted values over a batch. Both phases use one shape. `scorePairs` sums the keys that each
 * query token sees; `cacheTokens` sums the cached tokens that are read over sequences.
 */
export interface AttentionOp {
  kind: "attentionPrefill" | "attentionDecode";
  /** Sequences that take part. */
  sequences: number;
  queryTokens: number;
  scorePairs: number;
  cacheTokens: number;
  /** Query heads on this rank. */
  heads: number;
  /** Key and value heads on this rank; 1 for a latent cache: all query heads share it. */
  kvHeads: number;
  /** Multi-head latent attention (MLA): absorbed against the compressed cache in decode, expanded in prefill. */
  latent: boolean;
  /** Multiply-adds per head and score pair: key width + value width (MLA absorbed: 576 + 512). */
  widthPerPair: number;
  /** Cache bytes per token on this rank. */
  cacheBytesPerToken: number;
  cacheFormat: StorageFormat;
  math: MathFormat;
}

/**
 * Sparse latent attention in absorbed form over prompt tokens: every query gathers the cache entries that an indexer
 * selected for it, so keys are not shared between queries, and a tile holds the heads of one query.
 */
export interface SparseLatentOp {
  kind: "sparseLatent";
  queryTokens: number;
  /** Keys that the kernel computes, summed over query tokens. */
  scorePairs: number;
  /** Cached tokens that are read, summed over sequences. */
  cacheTokens: number;
  /** Query heads on this rank. The kernel computes a multiple of the heads that fill its tile. */
  heads: number;
  /** Most heads that fill a tile, whatever the device says; Infinity for no limit. */
  tileHeadsMax: number;
  /** Multiply-adds per head and score pair. */
  widthPerPair: number;
  cacheBytesPerToken: number;
  math: MathFormat;
}

/** An indexer scores every key for every query in fp8, and the best are selected. */
export interface IndexScoresOp {
  kind: "indexScores";
  /** Keys that each query token scores, summed. */
  scorePairs: number;
  /** Cached index keys that are read, summed over sequences. */
  cacheTokens: number;
  heads: number;
  headDim: number;
}

/**
 * Linear attention over prompts, in chunks: products inside each chunk, and a walk from chunk to chunk that carries the
 * state of each sequence.
 */
export interface LinearScanOp {
  kind: "linearScan";
  tokens: number;
  /** Tokens of the longest sequence: its chunks follow one another. */
  longestTokens: number;
  chunkTokens: number;
  /** Bytes through memory and FLOPs of one token, all heads of this rank. */
  bytesPerToken: number;
  flopsPerToken: number;
  /** Share of the work that the walk does. */
  walkShare: number;
  math: MathFormat;
}

/** Recurrent states, read or written: one step of linear attention per decoded token. */
export interface StateUpdateOp {
  kind: "stateUpdate";
  bytes: number;
  stateFormat: StorageFormat;
}

/**
 * A collective over `ranks` devices. `bytes` is the buffer per rank (all-reduce), the gathered whole (all-gather,
 * reduce-scatter) or what a rank sends to the others (all-to-all).
 */
export interface CollectiveOp {
  kind: "allReduce" | "allGather" | "reduceScatter" | "allToAll";
  bytes: number;
  ranks: number;
  /** Ranks that share one node. The scale-out link reaches the rest. */
  ranksPerNode: number;
}

/** Libraries of exchange kernels: DeepEP, and the all-to-all inside an NVLink domain of TensorRT-LLM and FlashInfer. */
export type ExchangeLibrary = "deepep" | "nvlink";

/** An expert-exchange library sends tokens to their experts (`dispatch`) or results back (`combine`). */
export interface ExchangeOp {
  kind: "dispatch" | "combine";
  library: ExchangeLibrary;
  /**
   * `lowLatency` sends every (token, expert) pair on its own, so no counts have to be exchanged first (decode).
   * `normal` sends a token once to each rank, and over the scale-out link once to each node (prefill).
   */
  mode: "lowLatency" | "normal";
  /** Tokens of one rank. */
  tokens: number;
  hidden: number;
  topK: number;
  experts: number;
  ranks: number;
  /** Ranks that share one node. The scale-out link reaches the rest. */
  ranksPerNode: number;
  /** Bytes of one value on the wire, scales included: 2 for bf16, 1.03125 for fp8 in blocks of 128. */
  bytesPerValue: number;
  /** Bytes inside a node and between nodes, over those of experts that are picked evenly; absent: 1. */
  nearScale?: number;
  farScale?: number;
}

/** A transfer over one link. */
export interface CopyOp {
  kind: "copy";
  link: "hostToDevice" | "deviceToHost" | "disk" | "scaleUp" | "scaleOut";
  bytes: number;
}

/** Memory-bound work: norms, rotary embedding, activation, sampling, cache update. */
export interface ElementwiseOp {
  kind: "elementwise";
  bytes: number;
}

/** What a device, link or collective is asked to do. Fields are mutable so that hot paths can refill one object. */
export type Op =
  | GemmOp
  | GroupedGemmOp
  | AttentionOp
  | SparseLatentOp
  | IndexScoresOp
  | LinearScanOp
  | StateUpdateOp
  | CollectiveOp
  | ExchangeOp
  | CopyOp
  | ElementwiseOp;
