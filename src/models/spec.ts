import type { StorageFormat } from "../core/dtype.ts";

/** Grouped-query attention; multi-head attention is the case kvHeads = queryHeads. */
export interface GqaAttention {
  readonly kind: "gqa";
  readonly queryHeads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  /** Width of a value head where it differs from `headDim` (MiMo-V2); absent where it is the same. */
  readonly valueHeadDim?: number;
  /** Keys double as values: no value projection, while the cache still holds both (Gemma 4, global layers). */
  readonly keyIsValue?: boolean;
  /**
   * Cross-layer attention: this layer has no key and value projections and no cache. It reads the keys and values of the
   * last layer before it that has its own (Hunyuan-Large); absent: false.
   */
  readonly sharedCache?: boolean;
  /** Block-sparse attention: at most this many keys are attended per query (MiniMax-M3); absent for all visible keys. */
  readonly topTokens?: number;
  /** Keys visible to a query, or null for the whole context. */
  readonly windowTokens: number | null;
  /** The window is a chunk: it starts anew every `windowTokens` tokens (Llama 4); absent: it slides. */
  readonly chunked?: boolean;
  /** An output gate as wide as the query projection (Qwen3-Next, Qwen3.5). */
  readonly outputGate: boolean;
  /** Rank of a query projection in two steps (Step-3); absent: one matrix. */
  readonly queryRank?: number;
  /**
   * Norms of queries and keys: over each head, or over all heads together, which tensor-parallel ranks share; absent:
   * none.
   */
  readonly queryKeyNorm?: "head" | "whole";
  /** Parameters of biases, query/key norms and sinks in this attention, all ranks together. */
  readonly smallParameters: number;
}

/** Multi-head latent attention (DeepSeek-V2, section 2.1). The cache holds kvLoraRank + ropeHeadDim values a token. */
export interface MlaAttention {
  readonly kind: "mla";
  readonly queryHeads: number;
  /** Rank of the query compression, or null where queries are projected directly. */
  readonly queryLoraRank: number | null;
  readonly kvLoraRank: number;
  readonly nopeHeadDim: number;
  readonly ropeHeadDim: number;
  readonly valueHeadDim: number;
  /** Sparse attention (DSA): an indexer selects topTokens keys per query; null for dense attention. */
  readonly indexer: { readonly heads: number; readonly headDim: number; readonly topTokens: number } | null;
  /** Layers that reuse the selection of an earlier layer hold no indexer of their own (GLM-5.2); absent: false. */
  readonly indexerShared?: boolean;
  /** An output gate as wide as the values (Kimi K3); absent: false. */
  readonly outputGate?: boolean;
  /** An output gate of one value a head (Ling 3); absent: false. */
  readonly headGate?: boolean;
  /** Attention over a compressed cache (DeepSeek-V4); absent for MLA proper. */
  readonly compressed?: CompressedCache;
  readonly smallParameters: number;
}

/**
 * A cache of one entry per `ratio` tokens beside a window of recent tokens (DeepSeek-V4). All heads share one key-value
 * head of kvLoraRank + ropeHeadDim values, and the output projection is low-rank within groups of heads.
 */
interface CompressedCache {
  /** Tokens per cached entry; 0 where a layer has only its window. */
  readonly ratio: number;
  readonly windowTokens: number;
  /** Weights of the query, key-value, compressor and grouped output projections. */
  readonly projectionParameters: number;
}

/** Linear attention or state-space mixing: a state of constant size per sequence instead of a growing cache. */
export interface LinearAttention {
  readonly kind: "linear";
  /** Weights of all projections and convolutions of the mixer. */
  readonly projectionParameters: number;
  /** Values of the recurrent and convolution state per sequence. */
  readonly stateValues: number;
  /** Storage format of the state; absent: the format of the KV cache. */
  readonly stateFormat?: StorageFormat;
  /** The norm of its outputs sums over all heads, which tensor-parallel ranks share (MiniMax-Text-01); absent: false. */
  readonly wholeNorm?: boolean;
  readonly smallParameters: number;
  readonly scan: LinearScan;
}

/** How a mixer of linear attention runs over a prompt. Widths are of all ranks together. */
export interface LinearScan {
  /**
   * `delta`: gated delta rule; `channelDelta`: with a decay per channel; `decay`: SSD of Mamba-2; `selective`: Mamba-1;
   * `lightning`: a fixed decay per head (lightning attention); `convolution`: a gated short convolution and no scan.
   */
  readonly rule: "delta" | "channelDelta" | "decay" | "selective" | "lightning" | "convolution";
  /** Heads with a state of their own: keyDim x valueDim values. */
  readonly heads: number;
  /** Heads of keys and queries (B and C of Mamba); each serves heads / keyHeads states. */
  readonly keyHeads: number;
  readonly keyDim: number;
  readonly valueDim: number;
  /** Tokens of a chunk. */
  readonly chunkTokens: number;
  /** Channels that pass the short convolution, or an activation in its place. */
  readonly convolved: number;
}

export type Attention = GqaAttention | MlaAttention | LinearAttention | { readonly kind: "none" };

/** A gated (3 matrices) or plain (2 matrices) feed-forward network. */
export interface DenseFeedForward {
  readonly kind: "dense";
  readonly width: number;
  readonly matrices: 2 | 3;
}

export interface Router {
  readonly scoring: "softmax" | "sigmoid" | "sqrtsoftplus" | "hash";
  readonly normalisesTopK: boolean;
  /** Group-limited selection: experts in `groups`, of which `groupsKept` may fire; null for plain top-k. */
  readonly groups: {
    readonly count: number;
    readonly kept: number;
    /** Experts chosen in every kept group (grouped top-k of Pangu Pro MoE); absent: any number. */
    readonly topKPerGroup?: number;
  } | null;
  /** Per-expert selection bias (DeepSeek-V3), counted as parameters. */
  readonly bias: boolean;
}

export interface MoeFeedForward {
  readonly kind: "moe";
  readonly experts: number;
  readonly topK: number;
  /**
   * Experts that the router chooses from beside `experts` and that return their input: they have no weights and compute
   * nothing (LongCat-Flash). Choices of them count in `topK`. Absent: none.
   */
  readonly zeroExperts?: number;
  readonly expertWidth: number;
  readonly matrices: 2 | 3;
  /** Hidden width the experts work at; smaller than the model's hidden size in latent MoE. */
  readonly expertHidden: number;
  /** Width of all shared experts together; 0 if there are none. */
  readonly sharedWidth: number;
  /** A scalar gate on the shared expert (Qwen1.5-MoE, Qwen2-MoE). */
  readonly sharedGate: boolean;
  /** Biases inside each expert (gpt-oss), in parameters per expert. */
  readonly expertBiasParameters: number;
  /** Bits per value of this layer's experts, scales included, where layers differ; absent: those of the class. */
  readonly expertBits?: number;
  /** A dense network beside the MoE in the same layer (Gemma 4, LongCat-Flash), or 0. */
  readonly denseWidth: number;
  readonly router: Router;
}

export type FeedForward = DenseFeedForward | MoeFeedForward | { readonly kind: "none" };

/** One decoder layer: token mixing, then feed-forward. */
export interface LayerSpec {
  readonly attention: Attention;
  readonly feedForward: FeedForward;
  /** Parameters of the layer's norms; absent: one vector of the hidden size before each sublayer. */
  readonly normParameters?: number;
  /**
   * One more visit of the experts, shared ones included, of the layer before (Chain-of-Experts, arXiv 2506.18945). They
   * are held once; the router is the visit's own, or that of the layer too. Absent: a layer of its own.
   */
  readonly revisit?: { readonly router: "own" | "shared" };
  /** Belongs to the layer before, from which no pipeline stage parts it; absent: a stage may begin here. */
  readonly joined?: boolean;
}

/** Tensor classes: what is stored, moved and quantised alike. */
export const tensorClasses = [
  "embedding",
  "attention",
  "dense",
  "router",
  "shared",
  "experts",
  "head",
  "norm",
] as const;
export type TensorClass = (typeof tensorClasses)[number];

/** How weights are stored. */
export interface WeightStorage {
  readonly formats: Readonly<Record<TensorClass, StorageFormat>>;
  /**
   * Bits per value, scales included, of classes whose layout is not the usual one of their format: other groups of scales,
   * zero points, or modules in several formats, of which `formats` names the one with most bytes.
   */
  readonly weightBits?: Readonly<Partial<Record<TensorClass, number>>> | undefined;
}

/** Where a number of a model came from. */
export interface Provenance {
  /**
   * Key in config.json, such as `text_config.num_experts`, or a rule such as `moe_intermediate_size ??
   * intermediate_size`.
   */
  readonly key: string;
  readonly value: number | string | boolean | null;
}

/** An MoE (or dense) decoder-only language model: shapes only, no weights. */
export interface ModelSpec {
  /** Stable id, such as `qwen3-30b-a3b`. */
  readonly id: string;
  readonly name: string;
  readonly modelType: string;
  readonly hiddenSize: number;
  readonly vocabSize: number;
  readonly tiedEmbeddings: boolean;
  /**
   * Tables of the last few tokens, looked up beside the embedding of the token (LongCat-Flash-Lite): in all, of the rows
   * of one token, and of the projections that all tokens pass. Absent: none.
   */
  readonly ngramEmbedding?: {
    readonly tableParameters: number;
    readonly rowParameters: number;
    readonly projectionParameters: number;
  };
  /** A bias on the output head (Phi-3.5-MoE); absent: false. */
  readonly headBias?: boolean;
  readonly contextTokensMax: number;
  readonly layers: readonly LayerSpec[];
  /** Multi-token-prediction modules shipped with the model; not counted in its parameters. */
  readonly mtpLayers: number;
  /** Storage format of each tensor class as released. */
  readonly formats: Readonly<Record<TensorClass, StorageFormat>>;
  readonly weightBits?: WeightStorage["weightBits"];
  readonly kvFormat: StorageFormat;
  /** For each number: the config key it came from. Keys are dotted paths of this spec. */
  readonly provenance: Readonly<Record<string, Provenance>>;
}
