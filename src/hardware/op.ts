import type { MathFormat, StorageFormat } from "../core/dtype.ts";

/** A dense matrix product [tokens, inputWidth] x [inputWidth, outputWidth]. */
export interface GemmOp {
  kind: "gemm";
  tokens: number;
  inputWidth: number;
  outputWidth: number;
  weightFormat: StorageFormat;
  math: MathFormat;
}

/** The routed experts of one layer on one rank: gate, up and down products of every expert that received a token. */
export interface GroupedGemmOp {
  kind: "groupedGemm";
  /** (token, expert) pairs computed on this rank. */
  pairs: number;
  /** Experts with at least one token on this rank: each is read from memory once. */
  distinctExperts: number;
  /** Weights of one expert on this rank (after expert tensor parallelism). */
  parametersPerExpert: number;
  /** Input and output values of one pair: hidden + width traffic of activations. */
  valuesPerPair: number;
  weightFormat: StorageFormat;
  math: MathFormat;
}

/**
 * Attention scores and weighted values over a batch. Both phases use one shape: `scorePairs` is the sum over query
 * tokens of the keys each sees, `cacheTokens` the sum over sequences of cached tokens read.
 */
export interface AttentionOp {
  kind: "attentionPrefill" | "attentionDecode";
  queryTokens: number;
  scorePairs: number;
  cacheTokens: number;
  /** Query heads on this rank. */
  heads: number;
  /** Multiply-adds per head and score pair: key width + value width (MLA absorbed: 576 + 512). */
  widthPerPair: number;
  /** Cache bytes per token on this rank. */
  cacheBytesPerToken: number;
  math: MathFormat;
}

/** A collective over `ranks` devices. `bytes` is the buffer per rank (all-reduce, all-to-all) or the gathered whole. */
export interface CollectiveOp {
  kind: "allReduce" | "allGather" | "reduceScatter" | "allToAll";
  bytes: number;
  ranks: number;
  /** Ranks that share one node; the rest is reached through the scale-out link. */
  ranksPerNode: number;
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
export type Op = GemmOp | GroupedGemmOp | AttentionOp | CollectiveOp | CopyOp | ElementwiseOp;
