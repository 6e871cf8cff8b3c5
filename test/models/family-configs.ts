import type { Family } from "../../src/models/families.ts";
import { type Config, deepseek, qwen3, without } from "./configs.ts";

const mixers: Readonly<Record<NonNullable<Family["mixer"]>, Config>> = {
  "delta-net": {
    full_attention_interval: 2,
    linear_num_key_heads: 2,
    linear_num_value_heads: 4,
    linear_key_head_dim: 8,
    linear_value_head_dim: 8,
    linear_conv_kernel_dim: 4,
  },
  "kimi-delta": {
    linear_attn_config: { full_attn_layers: [2, 4], num_heads: 4, head_dim: 8, short_conv_kernel_size: 4 },
  },
  mamba1: {
    attn_layer_period: 4,
    attn_layer_offset: 3,
    expert_layer_period: 2,
    expert_layer_offset: 1,
    mamba_expand: 2,
    mamba_d_state: 4,
    mamba_d_conv: 4,
    mamba_dt_rank: 8,
  },
  mamba2: {
    hybrid_override_pattern: "M*E-",
    mamba_num_heads: 4,
    mamba_head_dim: 8,
    n_groups: 2,
    ssm_state_size: 16,
    conv_kernel: 4,
  },
  lightning: { attn_type_list: [0, 1, 0, 1] },
  "short-convolution": { layer_types: ["conv", "full_attention", "conv", "conv"], conv_L_cache: 3 },
};

/** Mamba-2 in layers with both sublayers (Granite 4). */
const wholeMamba: Config = {
  layer_types: ["mamba", "attention", "mamba", "mamba"],
  mamba_n_heads: 4,
  mamba_d_head: 8,
  mamba_n_groups: 2,
  mamba_d_state: 16,
  mamba_d_conv: 4,
};

const compressed: Config = {
  num_key_value_heads: 1,
  qk_rope_head_dim: 8,
  q_lora_rank: 24,
  o_groups: 2,
  o_lora_rank: 12,
  sliding_window: 16,
  compress_ratios: [0, 128, 4, 128],
  index_n_heads: 2,
  index_head_dim: 8,
  index_topk: 64,
};

/** A config of four layers that satisfies each form of attention and mixer a family may have. */
export function configOf(modelType: string, family: Family): Config {
  const latent = family.attention === "mla" ? deepseek : qwen3;
  const experts = without(latent, "n_routed_experts", "num_experts", "n_group", "topk_group");
  const wholeLayers = family.mixer === "mamba2" && !family.singleSublayers;
  return {
    ...without(experts, "moe_intermediate_size"),
    ...(family.mixer === null ? {} : wholeLayers ? wholeMamba : mixers[family.mixer]),
    ...(family.attention === "compressed" ? compressed : {}),
    [family.denseWidthKey]: 96,
    [family.expertWidthKey]: 32,
    ...(family.pairedLayers ? { first_k_dense_replace: 0 } : {}),
    ...(family.ngrams ? { ngram_vocab_size_ratio: 3, emb_neighbor_num: 3, emb_split_num: 2 } : {}),
    num_experts: 8,
    model_type: modelType,
  };
}
