import type { Config } from "./configs.ts";

export const longcat: Config = {
  model_type: "longcat_flash",
  attention_method: "MLA",
  hidden_size: 6144,
  num_layers: 28,
  vocab_size: 131_072,
  max_position_embeddings: 131_072,
  num_attention_heads: 64,
  q_lora_rank: 1536,
  kv_lora_rank: 512,
  qk_nope_head_dim: 128,
  qk_rope_head_dim: 64,
  v_head_dim: 128,
  mla_scale_q_lora: true,
  mla_scale_kv_lora: true,
  ffn_hidden_size: 12_288,
  expert_ffn_hidden_size: 2048,
  n_routed_experts: 512,
  zero_expert_num: 256,
  zero_expert_type: "identity",
  moe_topk: 12,
  torch_dtype: "bfloat16",
};

const softmaxEvery = (layers: number, every: number) =>
  Array.from({ length: layers }, (_, layer) => Number((layer + 1) % every === 0));

export const minimax: Config = {
  model_type: "minimax_text_01",
  hidden_size: 6144,
  num_hidden_layers: 80,
  vocab_size: 200_064,
  max_position_embeddings: 10_240_000,
  num_attention_heads: 64,
  num_key_value_heads: 8,
  head_dim: 128,
  attn_type_list: softmaxEvery(80, 8),
  intermediate_size: 9216,
  num_local_experts: 32,
  num_experts_per_tok: 2,
  shared_intermediate_size: 0,
  shared_moe_mode: "sigmoid",
  postnorm: true,
  rotary_dim: 64,
  torch_dtype: "bfloat16",
};

export const ringMini: Config = {
  model_type: "bailing_moe_linear",
  hidden_size: 2048,
  num_hidden_layers: 20,
  vocab_size: 157_184,
  max_position_embeddings: 131_072,
  num_attention_heads: 16,
  num_key_value_heads: 4,
  head_dim: 128,
  layer_group_size: 5,
  group_norm_size: 4,
  linear_silu: false,
  first_k_dense_replace: 1,
  intermediate_size: 5120,
  num_experts: 256,
  num_experts_per_tok: 8,
  moe_intermediate_size: 512,
  num_shared_experts: 1,
  moe_shared_expert_intermediate_size: 512,
  moe_router_enable_expert_bias: true,
  score_function: "sigmoid",
  n_group: 8,
  topk_group: 4,
  norm_topk_prob: true,
  use_qk_norm: true,
  use_qkv_bias: false,
  tie_word_embeddings: false,
  torch_dtype: "bfloat16",
};

/** Attention in every tenth layer, the sixth first. */
export const graniteTypes = Array.from({ length: 40 }, (_, layer) => (layer % 10 === 5 ? "attention" : "mamba"));

export const graniteTiny: Config = {
  model_type: "granitemoehybrid",
  hidden_size: 1536,
  num_hidden_layers: 40,
  vocab_size: 100_352,
  max_position_embeddings: 131_072,
  num_attention_heads: 12,
  num_key_value_heads: 4,
  layer_types: graniteTypes,
  mamba_n_heads: 48,
  mamba_d_head: 64,
  mamba_d_state: 128,
  mamba_d_conv: 4,
  mamba_n_groups: 1,
  mamba_expand: 2,
  mamba_chunk_size: 256,
  mamba_conv_bias: true,
  mamba_proj_bias: false,
  intermediate_size: 512,
  shared_intermediate_size: 1024,
  num_local_experts: 64,
  num_experts_per_tok: 6,
  tie_word_embeddings: true,
  dtype: "bfloat16",
};

export const graniteSmall: Config = {
  ...graniteTiny,
  hidden_size: 4096,
  num_attention_heads: 32,
  num_key_value_heads: 8,
  mamba_n_heads: 128,
  intermediate_size: 768,
  shared_intermediate_size: 1536,
  num_local_experts: 72,
  num_experts_per_tok: 10,
};

/** Hybrid without experts: its network is the shared one. */
export const graniteMicro: Config = {
  ...graniteTiny,
  hidden_size: 2048,
  num_attention_heads: 32,
  num_key_value_heads: 8,
  mamba_n_heads: 64,
  intermediate_size: 8192,
  shared_intermediate_size: 8192,
  num_local_experts: 0,
  num_experts_per_tok: 0,
};

const convolutions = (layers: number, attending: readonly number[]) =>
  Array.from({ length: layers }, (_, layer) => (attending.includes(layer) ? "full_attention" : "conv"));

export const lfm8: Config = {
  model_type: "lfm2_moe",
  hidden_size: 2048,
  num_hidden_layers: 24,
  vocab_size: 65_536,
  max_position_embeddings: 128_000,
  num_attention_heads: 32,
  num_key_value_heads: 8,
  layer_types: convolutions(24, [2, 6, 10, 14, 18, 21]),
  conv_L_cache: 3,
  conv_bias: false,
  num_dense_layers: 2,
  intermediate_size: 7168,
  moe_intermediate_size: 1792,
  num_experts: 32,
  num_experts_per_tok: 4,
  use_expert_bias: true,
  norm_topk_prob: true,
  tie_embedding: true,
  torch_dtype: "bfloat16",
};

export const lfm24: Config = {
  ...lfm8,
  num_hidden_layers: 40,
  layer_types: convolutions(
    40,
    Array.from({ length: 10 }, (_, i) => 2 + 4 * i),
  ),
  moe_intermediate_size: 1536,
  num_experts: 64,
};

const everywhere = (value: number, layers: number) => Array.from({ length: layers }, () => value);

export const hunyuanA13b: Config = {
  model_type: "hunyuan_v1_moe",
  hidden_size: 4096,
  num_hidden_layers: 32,
  vocab_size: 128_167,
  max_position_embeddings: 32_768,
  num_attention_heads: 32,
  num_key_value_heads: 8,
  attention_head_dim: 128,
  use_qk_norm: true,
  use_cla: false,
  cla_share_factor: 2,
  use_mla: false,
  kv_lora_rank: null,
  n_group: false,
  group_limited_greedy: false,
  intermediate_size: 3072,
  moe_intermediate_size: everywhere(3072, 32),
  num_experts: 64,
  moe_topk: everywhere(8, 32),
  num_shared_expert: everywhere(1, 32),
  use_mixed_mlp_moe: true,
  moe_layer_num_skipped: 0,
  moe_drop_tokens: false,
  moe_random_routing_dropped_token: false,
  tie_word_embeddings: true,
  torch_dtype: "bfloat16",
};

export const hunyuanLarge: Config = {
  model_type: "hunyuan",
  hidden_size: 6400,
  num_hidden_layers: 64,
  vocab_size: 129_024,
  max_position_embeddings: 131_072,
  num_attention_heads: 80,
  num_key_value_heads: 8,
  use_qk_norm: true,
  use_cla: true,
  cla_share_factor: 2,
  intermediate_size: 18_304,
  num_experts: 16,
  moe_topk: 1,
  num_shared_expert: 1,
  use_mixed_mlp_moe: true,
  tie_word_embeddings: true,
  torch_dtype: "bfloat16",
};
