import type { Router } from "./spec.ts";

/** What the class of a model fixes and its config.json does not say, or says only when it differs. */
export interface Family {
  /** Form of the softmax-attention layers. */
  readonly attention: "gqa" | "mla" | "compressed";
  /** Form of the layers that mix tokens without a growing cache, where the model has any. */
  readonly mixer: "delta-net" | "kimi-delta" | "mamba1" | "mamba2" | "lightning" | "short-convolution" | null;
  /** A layer is one sublayer: a mixer, or a feed-forward network (Nemotron-H). */
  readonly singleSublayers: boolean;
  /** A layer of the file is two: each with attention and a dense network, the first with experts beside (LongCat-Flash). */
  readonly pairedLayers: boolean;
  /** Experts that return their input may stand beside the others (`zero_expert_num`). */
  readonly zeroExperts: boolean;
  /** Embeddings of n-grams beside those of tokens. */
  readonly ngrams: boolean;
  /** Norms of queries and keys: a weight per head dimension, one per value of the projection, or none. */
  readonly queryKeyNorm: "none" | "head" | "whole" | "weightless";
  /**
   * Biases of the query, key and value projections where `attention_bias` is absent, and whether the output has one
   * too.
   */
  readonly bias: { readonly byDefault: boolean; readonly output: boolean };
  /** One learned attention sink per head. */
  readonly sinks: boolean;
  readonly outputGate: boolean;
  /** Layers that see only a window, where no list per layer says so. */
  readonly window: "none" | "all" | "if-enabled" | "alternating" | "chunked";
  /** Whether the family has members without experts; elsewhere their absence is an error. */
  readonly mayBeDense: boolean;
  readonly expertWidthKey: "moe_intermediate_size" | "intermediate_size" | "expert_ffn_hidden_size";
  readonly denseWidthKey:
    | "intermediate_size"
    | "intermediate_size_mlp"
    | "dense_intermediate_size"
    | "ffn_hidden_size"
    | "shared_intermediate_size";
  /** Experts are as wide as a dense network where no key of their own says otherwise. */
  readonly expertsLikeDense: boolean;
  readonly matrices: 2 | 3;
  readonly scoring: Router["scoring"];
  readonly normalisesTopK: boolean;
  /** A bias per expert on the router's scores or logits, counted as parameters. */
  readonly routerBias: boolean;
  /** Every kept group contributes the same number of experts (mixture of grouped experts). */
  readonly groupedTopK: boolean;
  readonly sharedGate: boolean;
  /** One shared expert of the routed experts' width, without a key that says so. */
  readonly implicitShared: boolean;
  /** Biases inside each expert. */
  readonly expertBias: boolean;
  /** A dense network beside the experts of a layer (`enable_moe_block`). */
  readonly denseBeside: boolean;
  /** Norm vectors of the hidden size in a layer with both sublayers, and whether each has a bias (LayerNorm). */
  readonly norms: { readonly perLayer: number; readonly bias: boolean };
  readonly tied: boolean;
  /** Experts may be visited several times one after the other (`inner_iter`). */
  readonly chainsExperts: boolean;
  /** Keys that switch on something the spec cannot express, with its name. */
  readonly unsupported: Readonly<Record<string, string>>;
}

/** What is usual; families say what differs. */
export const plain: Family = {
  attention: "gqa",
  mixer: null,
  singleSublayers: false,
  pairedLayers: false,
  zeroExperts: false,
  ngrams: false,
  queryKeyNorm: "none",
  bias: { byDefault: false, output: true },
  sinks: false,
  outputGate: false,
  window: "none",
  mayBeDense: false,
  expertWidthKey: "moe_intermediate_size",
  denseWidthKey: "intermediate_size",
  expertsLikeDense: false,
  matrices: 3,
  scoring: "softmax",
  normalisesTopK: true,
  routerBias: false,
  groupedTopK: false,
  sharedGate: false,
  implicitShared: false,
  expertBias: false,
  denseBeside: false,
  norms: { perLayer: 2, bias: false },
  tied: false,
  chainsExperts: false,
  unsupported: {},
};

const mixtral: Family = { ...plain, window: "all", expertWidthKey: "intermediate_size" };
const phi: Family = { ...mixtral, norms: { perLayer: 2, bias: true }, normalisesTopK: false };
const qwen2: Family = { ...plain, window: "if-enabled", bias: { byDefault: true, output: false } };
const qwen3: Family = { ...plain, window: "if-enabled", queryKeyNorm: "head" };
const qwen3Next: Family = { ...qwen3, mixer: "delta-net", outputGate: true, sharedGate: true };
const deepseek3: Family = { ...plain, attention: "mla", scoring: "sigmoid", routerBias: true };
const deepseek4: Family = { ...plain, attention: "compressed", scoring: "sqrtsoftplus", routerBias: true, sinks: true };
const sigmoidGqa: Family = { ...plain, scoring: "sigmoid", routerBias: true };
const lightning: Family = { ...plain, mixer: "lightning", expertWidthKey: "intermediate_size", sharedGate: true };
const longcat: Family = {
  ...plain,
  attention: "mla",
  pairedLayers: true,
  zeroExperts: true,
  expertWidthKey: "expert_ffn_hidden_size",
  denseWidthKey: "ffn_hidden_size",
  normalisesTopK: false,
  routerBias: true,
  unsupported: {
    router_bias: "a bias of the router's projection",
    first_k_dense_replace: "layers without experts in this class",
  },
};
const hunyuan: Family = {
  ...plain,
  queryKeyNorm: "head",
  expertsLikeDense: true,
  unsupported: { use_mla: "latent attention in this class" },
};

/** Families by `model_type`; the suffix `_text` of nested configs is dropped before the look-up. */
export const families = {
  bailing_hybrid: {
    ...deepseek3,
    mixer: "lightning",
    queryKeyNorm: "head",
    unsupported: { num_kv_heads_for_linear_attn: "linear attention whose keys have heads of their own" },
  },
  bailing_moe_linear: { ...sigmoidGqa, mixer: "lightning", queryKeyNorm: "head" },
  coe_deepseekv2: { ...plain, attention: "mla", normalisesTopK: false, chainsExperts: true },
  deepseek: { ...plain, normalisesTopK: false },
  deepseek_ref: deepseek4,
  deepseek_v2: { ...plain, attention: "mla", normalisesTopK: false },
  deepseek_v3: deepseek3,
  deepseek_v32: deepseek3,
  deepseek_v4: deepseek4,
  dots1: { ...sigmoidGqa, queryKeyNorm: "head" },
  flame_moe: { ...plain, normalisesTopK: false },
  gemma4: {
    ...plain,
    queryKeyNorm: "head",
    denseBeside: true,
    mayBeDense: true,
    norms: { perLayer: 7, bias: false },
    tied: true,
    unsupported: {
      num_kv_shared_layers: "sharing of key-value caches between layers",
      hidden_size_per_layer_input: "per-layer embeddings",
      use_double_wide_mlp: "a double-wide dense network",
    },
  },
  glm4_moe: { ...sigmoidGqa, bias: { byDefault: false, output: false } },
  glm4_moe_lite: deepseek3,
  glm_moe_dsa: deepseek3,
  gpt_oss: {
    ...plain,
    window: "alternating",
    bias: { byDefault: true, output: true },
    sinks: true,
    expertWidthKey: "intermediate_size",
    routerBias: true,
    expertBias: true,
  },
  granitemoe: { ...plain, expertWidthKey: "intermediate_size", tied: true },
  granitemoehybrid: {
    ...plain,
    mixer: "mamba2",
    mayBeDense: true,
    expertWidthKey: "intermediate_size",
    denseWidthKey: "shared_intermediate_size",
  },
  granitemoeshared: { ...plain, expertWidthKey: "intermediate_size", tied: true },
  grinmoe: phi,
  hunyuan,
  hunyuan_v1_moe: hunyuan,
  jamba: { ...plain, mixer: "mamba1", expertWidthKey: "intermediate_size", normalisesTopK: false },
  kimi_k2: deepseek3,
  kimi_linear: { ...deepseek3, mixer: "kimi-delta" },
  lfm2_moe: { ...sigmoidGqa, mixer: "short-convolution", queryKeyNorm: "head", tied: true },
  llama: { ...plain, mayBeDense: true },
  llama4: {
    ...plain,
    window: "chunked",
    expertWidthKey: "intermediate_size",
    denseWidthKey: "intermediate_size_mlp",
    queryKeyNorm: "weightless",
    scoring: "sigmoid",
    normalisesTopK: false,
    implicitShared: true,
  },
  llama_moe: { ...plain, expertWidthKey: "intermediate_size" },
  longcat_flash: {
    ...longcat,
    unsupported: { ...longcat.unsupported, ngram_vocab_size_ratio: "an embedding of n-grams in this class" },
  },
  longcat_flash_ngram: { ...longcat, ngrams: true },
  mimo_v2_flash: sigmoidGqa,
  minicpm: { ...plain, mayBeDense: true, expertWidthKey: "intermediate_size", tied: true },
  minimax: lightning,
  minimax_m1: lightning,
  minimax_m2: { ...sigmoidGqa, queryKeyNorm: "whole", expertWidthKey: "intermediate_size" },
  minimax_m3: { ...sigmoidGqa, queryKeyNorm: "head", denseWidthKey: "dense_intermediate_size" },
  minimax_text_01: lightning,
  mistral: { ...plain, window: "all", mayBeDense: true },
  mistral4: { ...plain, attention: "mla" },
  mixtral,
  nemotron_h: { ...sigmoidGqa, mixer: "mamba2", singleSublayers: true, matrices: 2 },
  olmoe: { ...plain, queryKeyNorm: "whole", expertWidthKey: "intermediate_size", normalisesTopK: false },
  pangu_pro_moe: { ...plain, bias: { byDefault: true, output: true }, groupedTopK: true, normalisesTopK: false },
  phimoe: phi,
  qwen2: { ...qwen2, mayBeDense: true },
  qwen2_moe: { ...qwen2, sharedGate: true, normalisesTopK: false },
  qwen3: { ...qwen3, mayBeDense: true },
  qwen3_moe: qwen3,
  qwen3_next: qwen3Next,
  qwen3_5_moe: qwen3Next,
  qwen3_vl_moe: qwen3,
  step3p7: { ...sigmoidGqa, queryKeyNorm: "head" },
  xverse: { ...plain, expertWidthKey: "intermediate_size" },
} as const satisfies Record<string, Family>;

/** Model types that are recognised and cannot be expressed, with the reason. */
export const unsupportedFamilies: Readonly<Record<string, string>> = {
  jetmoe: "its attention heads are themselves routed experts",
  switch_transformers: "it is an encoder-decoder model",
  nllb_moe: "it is an encoder-decoder model",
};

/** Model types of files that name only their class. */
export const architectureTypes: Readonly<Record<string, string>> = {
  MiniCPMForCausalLM: "minicpm",
  PanguProMoEForCausalLM: "pangu_pro_moe",
};
