import type { JsonObject } from "./json-object.ts";
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
  /** A gate on the output of softmax attention: per channel or per head. */
  readonly outputGate: "none" | "channel" | "head";
  /** Layers that see only a window, where no list or pattern of the file says so. */
  readonly window: "none" | "all" | "if-enabled" | "alternating" | "chunked";
  /** Whether the family has members without experts; elsewhere their absence is an error. */
  readonly mayBeDense: boolean;
  readonly expertWidthKey:
    | "moe_intermediate_size"
    | "intermediate_size"
    | "ffn_hidden_size"
    | "moe_ffn_hidden_size"
    | "expert_ffn_hidden_size";
  readonly denseWidthKey:
    | "intermediate_size"
    | "intermediate_size_mlp"
    | "dense_intermediate_size"
    | "prefix_dense_intermediate_size"
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
  /** The key that puts a dense network beside the experts of a layer, and what it is as wide as. */
  readonly denseBeside: { readonly key: string; readonly width: "intermediate_size" | "hidden_size" } | null;
  /** Norm vectors of the hidden size in a layer with both sublayers, and whether each has a bias (LayerNorm). */
  readonly norms: { readonly perLayer: number; readonly bias: boolean };
  readonly tied: boolean;
  /** Experts may be visited several times one after the other (`inner_iter`). */
  readonly chainsExperts: boolean;
  /** Keys that switch on something the spec cannot express, with its name. */
  readonly unsupported: Readonly<Record<string, string>>;
  /** What the configuration class takes for keys that a file leaves out, as files of wrapped models do. */
  readonly defaults: JsonObject;
  /** Objects of the file whose keys are the model's own (DBRX). */
  readonly parts: readonly string[];
  /** What the model does and the spec does not say, in words. */
  readonly assumptions: readonly string[];
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
  outputGate: "none",
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
  denseBeside: null,
  norms: { perLayer: 2, bias: false },
  tied: false,
  chainsExperts: false,
  unsupported: {},
  defaults: {},
  parts: [],
  assumptions: [],
};

const mixtral: Family = {
  ...plain,
  window: "all",
  expertWidthKey: "intermediate_size",
  defaults: { num_key_value_heads: 8 },
};
const phi: Family = { ...mixtral, norms: { perLayer: 2, bias: true }, normalisesTopK: false };
const qwen2: Family = { ...plain, window: "if-enabled", bias: { byDefault: true, output: false } };
const qwen3: Family = { ...plain, window: "if-enabled", queryKeyNorm: "head" };
const qwen3Next: Family = {
  ...qwen3,
  mixer: "delta-net",
  outputGate: "channel",
  sharedGate: true,
  defaults: { head_dim: 256, full_attention_interval: 4 },
};
const deepseek3: Family = { ...plain, attention: "mla", scoring: "sigmoid", routerBias: true };
const deepseek4: Family = { ...plain, attention: "compressed", scoring: "sqrtsoftplus", routerBias: true, sinks: true };
/** Sizes of DeepSeek-V2's configuration class, which those of V3 and later inherit. */
const latentDefaults = {
  kv_lora_rank: 512,
  q_lora_rank: 1536,
  qk_nope_head_dim: 128,
  qk_rope_head_dim: 64,
  v_head_dim: 128,
};
const deepseek3Defaults = { ...latentDefaults, first_k_dense_replace: 3, n_shared_experts: 1 };
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
};

const deepseek2: Family = { ...plain, attention: "mla", normalisesTopK: false, defaults: latentDefaults };
const glm4: Family = {
  ...sigmoidGqa,
  bias: { byDefault: false, output: false },
  defaults: { num_key_value_heads: 8, first_k_dense_replace: 1, n_shared_experts: 1 },
};
/** `use_bias` of these classes is for the output projection and the networks. */
const unbiased = { use_bias: "a bias in projections and networks" };
const bailing: Family = { ...plain, bias: { byDefault: false, output: false }, unsupported: unbiased };
const bailing2: Family = { ...bailing, scoring: "sigmoid", routerBias: true, queryKeyNorm: "head" };
const step3p5: Family = { ...sigmoidGqa, queryKeyNorm: "head" };

/** Families by `model_type`; the suffix `_text` of nested configs is dropped before the look-up. */
export const families = {
  afmoe: {
    ...sigmoidGqa,
    queryKeyNorm: "head",
    outputGate: "channel",
    norms: { perLayer: 4, bias: false },
    defaults: { global_attn_every_n_layers: 4 },
  },
  arctic: {
    ...plain,
    window: "all",
    expertWidthKey: "intermediate_size",
    denseBeside: { key: "parallel_attn_mlp_res", width: "hidden_size" },
    norms: { perLayer: 3, bias: false },
    assumptions: ["the experts of a layer follow its attention, though they may run beside it"],
  },
  aria: {
    ...plain,
    expertWidthKey: "intermediate_size",
    normalisesTopK: true,
    defaults: { moe_num_experts: 64, moe_topk: 6, moe_num_shared_experts: 2 },
  },
  axk1: { ...deepseek3, norms: { perLayer: 3, bias: false }, defaults: latentDefaults },
  bailing_hybrid: {
    ...deepseek3,
    mixer: "lightning",
    queryKeyNorm: "head",
    unsupported: { num_kv_heads_for_linear_attn: "linear attention whose keys have heads of their own" },
  },
  bailing_moe: bailing,
  bailing_moe_linear: { ...sigmoidGqa, mixer: "lightning", queryKeyNorm: "head" },
  bailing_moe_v2: bailing2,
  coe_deepseekv2: { ...plain, attention: "mla", normalisesTopK: false, chainsExperts: true },
  cohere2_moe: {
    ...plain,
    expertWidthKey: "intermediate_size",
    denseWidthKey: "prefix_dense_intermediate_size",
    norms: { perLayer: 1, bias: false },
    tied: true,
    assumptions: ["the experts of a layer follow its attention, though they may run beside it"],
    defaults: { sliding_window_pattern: 4 },
  },
  dbrx: { ...plain, expertWidthKey: "ffn_hidden_size", parts: ["attn_config", "ffn_config"] },
  deepseek: { ...plain, normalisesTopK: false },
  deepseek_ref: deepseek4,
  deepseek_v2: deepseek2,
  deepseek_v3: { ...deepseek3, defaults: deepseek3Defaults },
  deepseek_v32: { ...deepseek3, defaults: deepseek3Defaults },
  deepseek_v4: deepseek4,
  dots1: { ...sigmoidGqa, queryKeyNorm: "head" },
  ernie4_5_moe: { ...plain, routerBias: true, tied: true, unsupported: unbiased },
  exaone_moe: {
    ...sigmoidGqa,
    queryKeyNorm: "head",
    defaults: { sliding_window_pattern: 4 },
  },
  flame_moe: { ...plain, normalisesTopK: false },
  flex_olmo: { ...plain, queryKeyNorm: "whole", expertWidthKey: "intermediate_size", normalisesTopK: false },
  gemma4: {
    ...plain,
    queryKeyNorm: "head",
    denseBeside: { key: "enable_moe_block", width: "intermediate_size" },
    mayBeDense: true,
    norms: { perLayer: 7, bias: false },
    tied: true,
    unsupported: {
      num_kv_shared_layers: "sharing of key-value caches between layers",
      hidden_size_per_layer_input: "per-layer embeddings",
      use_double_wide_mlp: "a double-wide dense network",
    },
  },
  glm4_moe: glm4,
  glm4_moe_lite: deepseek3,
  glm4v_moe: glm4,
  glm_moe_dsa: { ...deepseek3, defaults: { first_k_dense_replace: 3, n_shared_experts: 1 } },
  gpt_oss: {
    ...plain,
    window: "alternating",
    bias: { byDefault: true, output: true },
    sinks: true,
    expertWidthKey: "intermediate_size",
    routerBias: true,
    expertBias: true,
    defaults: { num_key_value_heads: 8, head_dim: 64 },
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
  grok_1: {
    ...plain,
    expertWidthKey: "intermediate_size",
    normalisesTopK: false,
    norms: { perLayer: 4, bias: false },
    tied: true,
  },
  grok_2: {
    ...plain,
    normalisesTopK: false,
    denseBeside: { key: "residual_moe", width: "intermediate_size" },
    norms: { perLayer: 4, bias: false },
  },
  hunyuan_v1_moe: hunyuan,
  hy_v3: { ...sigmoidGqa, queryKeyNorm: "head", defaults: { first_k_dense_replace: 1 } },
  hunyuan,
  jamba: {
    ...plain,
    mixer: "mamba1",
    expertWidthKey: "intermediate_size",
    normalisesTopK: false,
    defaults: { num_key_value_heads: 8 },
  },
  kimi_k2: { ...deepseek3, defaults: deepseek3Defaults },
  kimi_linear: { ...deepseek3, mixer: "kimi-delta" },
  laguna: { ...sigmoidGqa, queryKeyNorm: "head", outputGate: "head", defaults: { first_k_dense_replace: 1 } },
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
    defaults: { num_key_value_heads: 8, head_dim: 128 },
  },
  llama_moe: { ...plain, expertWidthKey: "intermediate_size" },
  longcat_flash: {
    ...longcat,
    unsupported: { ...longcat.unsupported, ngram_vocab_size_ratio: "an embedding of n-grams in this class" },
  },
  longcat_flash_ngram: { ...longcat, ngrams: true },
  mellum: { ...qwen3, window: "none" },
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
  pangu_ultra_moe: { ...deepseek3, norms: { perLayer: 4, bias: false } },
  phimoe: phi,
  qwen2: { ...qwen2, mayBeDense: true },
  qwen2_moe: { ...qwen2, sharedGate: true, normalisesTopK: false, defaults: { num_key_value_heads: 16 } },
  qwen3: { ...qwen3, mayBeDense: true },
  qwen3_5: { ...qwen3Next, mayBeDense: true },
  qwen3_5_moe: qwen3Next,
  qwen3_moe: { ...qwen3, defaults: { num_key_value_heads: 4 } },
  qwen3_next: { ...qwen3Next, defaults: { ...qwen3Next.defaults, num_key_value_heads: 2 } },
  qwen3_omni_moe: qwen3,
  qwen3_vl_moe: qwen3,
  sarvam_mla: deepseek3,
  sarvam_moe: bailing2,
  smallthinker: { ...plain, expertWidthKey: "moe_ffn_hidden_size", scoring: "sigmoid" },
  solar_open: sigmoidGqa,
  step3: { ...plain, normalisesTopK: false },
  step3p5,
  step3p7: step3p5,
  xverse: { ...plain, expertWidthKey: "intermediate_size" },
} as const satisfies Record<string, Family>;

/** Model types that are recognised and cannot be expressed, with the reason. */
export const unsupportedFamilies: Readonly<Record<string, string>> = {
  ernie4_5_moe_vl: "its text and its vision tokens have experts of their own, of different widths",
  ernie4_5_vl_moe: "its text and its vision tokens have experts of their own, of different widths",
  grove_moe: "its groups of experts share adjugate experts of another width",
  inkling: "its layers have short convolutions beside attention and relative positions",
  llada2_moe: "it decodes blocks by diffusion, not token by token",
  pangu_pro_moe_v2: "its attention has learned keys and values, and keys in two parts",
  nemotron_h_puzzle: "its layers differ in width and experts",
  jetmoe: "its attention heads are themselves routed experts",
  switch_transformers: "it is an encoder-decoder model",
  nllb_moe: "it is an encoder-decoder model",
};
