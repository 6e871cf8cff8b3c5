import type { Json } from "../../src/core/json.ts";
import { resolveConfig } from "../../src/models/resolve.ts";
import type { ModelSpec } from "../../src/models/spec.ts";

export type Config = { readonly [key: string]: Json };

/** A small grouped-query model: 4 layers of hidden size 64, 4 query and 2 key-value heads of 16. */
export const small: Config = {
  hidden_size: 64,
  num_hidden_layers: 4,
  vocab_size: 1000,
  max_position_embeddings: 4096,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  torch_dtype: "bfloat16",
  tie_word_embeddings: false,
};

/** Eight experts of width 32, two a token, as Mixtral spells them. */
export const mixtral: Config = {
  ...small,
  model_type: "mixtral",
  num_local_experts: 8,
  num_experts_per_tok: 2,
  intermediate_size: 32,
};

/** The same experts as Qwen3 spells them, beside a dense width that every layer leaves unused. */
export const qwen3: Config = {
  ...small,
  model_type: "qwen3_moe",
  head_dim: 16,
  num_experts: 8,
  num_experts_per_tok: 2,
  moe_intermediate_size: 32,
  intermediate_size: 96,
};

/** Latent attention, one dense layer first, a shared expert and grouped selection. */
export const deepseek: Config = {
  ...small,
  model_type: "deepseek_v3",
  num_key_value_heads: 4,
  q_lora_rank: 24,
  kv_lora_rank: 20,
  qk_nope_head_dim: 8,
  qk_rope_head_dim: 4,
  v_head_dim: 6,
  first_k_dense_replace: 1,
  moe_layer_freq: 1,
  intermediate_size: 96,
  n_routed_experts: 8,
  num_experts_per_tok: 2,
  moe_intermediate_size: 32,
  n_shared_experts: 1,
  n_group: 4,
  topk_group: 2,
  topk_method: "noaux_tc",
  scoring_func: "sigmoid",
  norm_topk_prob: true,
};

export function resolve(config: Json, quantConfig?: Json): ModelSpec {
  const options = { file: "config.json", ...(quantConfig === undefined ? {} : { quantConfig }) };
  return resolveConfig(config, options).spec;
}

/** A config without some of its keys. */
export function without(config: Config, ...keys: readonly string[]): Config {
  return Object.fromEntries(Object.entries(config).filter(([key]) => !keys.includes(key)));
}
