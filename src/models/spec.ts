import type { StorageFormat } from "../core/dtype.ts";

/** Grouped-query attention; multi-head attention is the case kvHeads = queryHeads. */
export interface GqaAttention {
  readonly kind: "gqa";
  readonly queryHeads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  /** Keys visible to a query, or null for the whole context. */
  readonly windowTokens: number | null;
  /** An output gate as wide as the query projection (Qwen3-Next, Qwen3.5). */
  readonly outputGate: boolean;
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
  readonly smallParameters: number;
}

/** Linear attention or state-space mixing: a state of constant size per sequence instead of a growing cache. */
export interface LinearAttention {
  readonly kind: "linear";
  /** Weights of all projections and convolutions of the mixer. */
  readonly projectionParameters: number;
  /** Values of the recurrent and convolution state per sequence. */
  readonly stateValues: number;
  readonly smallParameters: number;
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
  readonly groups: { readonly count: number; readonly kept: number } | null;
  /** Per-expert selection bias (DeepSeek-V3), counted as parameters. */
  readonly bias: boolean;
}

export interface MoeFeedForward {
  readonly kind: "moe";
  readonly experts: number;
  readonly topK: number;
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
  /** A dense network beside the MoE in the same layer (Gemma 4), or 0. */
  readonly denseWidth: number;
  readonly router: Router;
}

export type FeedForward = DenseFeedForward | MoeFeedForward | { readonly kind: "none" };

/** One decoder layer: token mixing, then feed-forward. */
export interface LayerSpec {
  readonly attention: Attention;
  readonly feedForward: FeedForward;
}

/** Tensor classes: what is stored, moved and quantised alike. */
export const tensorClasses = ["embedding", "attention", "dense", "router", "shared", "experts", "head", "norm"] as const;
export type TensorClass = (typeof tensorClasses)[number];

/** Where a number of a model came from. */
export interface Provenance {
  /** Key in config.json, such as `text_config.num_experts`, or a rule such as `moe_intermediate_size ?? intermediate_size`. */
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
  readonly contextTokensMax: number;
  readonly layers: readonly LayerSpec[];
  /** Multi-token-prediction modules shipped with the model; not counted in its parameters. */
  readonly mtpLayers: number;
  /** Storage format of each tensor class as released. */
  readonly formats: Readonly<Record<TensorClass, StorageFormat>>;
  readonly kvFormat: StorageFormat;
  /** For each number: the config key it came from. Keys are dotted paths of this spec. */
  readonly provenance: Readonly<Record<string, Provenance>>;
}
