import type { Json } from "../../core/json.ts";
import type { Metadata } from "./metadata.ts";

type Entries = Readonly<Record<string, readonly [value: Json, key: string]>>;

/** What the tensors of a file say beside its metadata. */
export interface TensorFacts {
  has(name: string): boolean;
}

/** Turns the metadata of an architecture of llama.cpp into the config.json of the same model. */
export type GgufArchitecture = (meta: Metadata, tensors: TensorFacts) => Entries;

/** Grouped-query attention, with a width of heads where it is stated. */
const heads = (meta: Metadata): Entries => ({
  num_attention_heads: [meta.count("attention.head_count"), "attention.head_count"],
  num_key_value_heads: [meta.optional("attention.head_count_kv"), "attention.head_count_kv"],
  head_dim: [sameWidth(meta), "attention.key_length"],
});

function sameWidth(meta: Metadata): number | null {
  const keys = meta.optional("attention.key_length");
  const values = meta.optional("attention.value_length");
  if (keys !== null && values !== null && keys !== values)
    meta.problem(`${meta.architecture}.attention.value_length`, `the width of keys, ${keys}`, values);
  return keys;
}

/** Experts, their number a token and their width, under the names that the model class gives them. */
const experts = (meta: Metadata, count: string, width: string): Entries => ({
  [count]: [meta.count("expert_count"), "expert_count"],
  num_experts_per_tok: [meta.count("expert_used_count"), "expert_used_count"],
  [width]: [
    meta.optional("expert_feed_forward_length") ?? meta.count("feed_forward_length"),
    "expert_feed_forward_length",
  ],
});
const denseWidth = (meta: Metadata): Entries => ({
  intermediate_size: [meta.optional("feed_forward_length"), "feed_forward_length"],
});
const densePrefix = (meta: Metadata): Entries => ({
  first_k_dense_replace: [meta.optional("leading_dense_block_count") ?? 0, "leading_dense_block_count"],
  n_shared_experts: [meta.optional("expert_shared_count") ?? 0, "expert_shared_count"],
});
/** Router settings that cost nothing, or are the class's own. */
function passOver(meta: Metadata, ...keys: readonly string[]): void {
  for (const key of keys) meta.optional(key);
}

const qwen3moe: GgufArchitecture = (meta) => ({
  model_type: ["qwen3_moe", "general.architecture"],
  ...heads(meta),
  ...denseWidth(meta),
  ...experts(meta, "num_experts", "moe_intermediate_size"),
});

/** Architectures by `general.architecture`. */
export const architectures: Readonly<Record<string, GgufArchitecture>> = {
  qwen3moe,
  qwen2moe: (meta) => ({
    model_type: ["qwen2_moe", "general.architecture"],
    ...heads(meta),
    ...denseWidth(meta),
    ...experts(meta, "num_experts", "moe_intermediate_size"),
    shared_expert_intermediate_size: [
      meta.count("expert_shared_feed_forward_length"),
      "expert_shared_feed_forward_length",
    ],
  }),
  llama: (meta) =>
    meta.optional("expert_count")
      ? {
          model_type: ["mixtral", "general.architecture"],
          ...heads(meta),
          ...experts(meta, "num_local_experts", "intermediate_size"),
        }
      : { model_type: ["llama", "general.architecture"], ...heads(meta), ...denseWidth(meta) },
  olmoe: (meta) => ({
    model_type: ["olmoe", "general.architecture"],
    ...heads(meta),
    ...experts(meta, "num_experts", "intermediate_size"),
  }),
  granitemoe: (meta) => ({
    model_type: ["granitemoe", "general.architecture"],
    ...heads(meta),
    ...experts(meta, "num_local_experts", "intermediate_size"),
  }),
  "gpt-oss": (meta) => ({
    model_type: ["gpt_oss", "general.architecture"],
    ...heads(meta),
    ...experts(meta, "num_local_experts", "intermediate_size"),
    sliding_window: [meta.optional("attention.sliding_window"), "attention.sliding_window"],
  }),
  deepseek2: (meta) => {
    const sigmoid = meta.optional("expert_gating_func") === 2;
    const rope = meta.count("rope.dimension_count");
    const keyWidth = meta.optional("attention.key_length_mla") ?? meta.count("attention.key_length");
    passOver(meta, "attention.key_length", "attention.value_length", "attention.head_count_kv");
    const valueWidth = meta.optional("attention.value_length_mla") ?? meta.count("attention.value_length");
    return {
      model_type: [sigmoid ? "deepseek_v3" : "deepseek_v2", "general.architecture"],
      num_attention_heads: [meta.count("attention.head_count"), "attention.head_count"],
      q_lora_rank: [meta.optional("attention.q_lora_rank"), "attention.q_lora_rank"],
      kv_lora_rank: [meta.count("attention.kv_lora_rank"), "attention.kv_lora_rank"],
      qk_rope_head_dim: [rope, "rope.dimension_count"],
      qk_nope_head_dim: [keyWidth - rope, "attention.key_length"],
      v_head_dim: [valueWidth, "attention.value_length"],
      ...denseWidth(meta),
      ...experts(meta, "n_routed_experts", "moe_intermediate_size"),
      ...densePrefix(meta),
      n_group: [meta.optional("expert_group_count"), "expert_group_count"],
      topk_group: [meta.optional("expert_group_used_count"), "expert_group_used_count"],
    };
  },
  glm4moe: (meta, tensors) => ({
    model_type: ["glm4_moe", "general.architecture"],
    ...heads(meta),
    ...denseWidth(meta),
    ...experts(meta, "n_routed_experts", "moe_intermediate_size"),
    ...densePrefix(meta),
    attention_bias: [tensors.has("blk.0.attn_q.bias"), "blk.0.attn_q.weight"],
    use_qk_norm: [tensors.has("blk.0.attn_q_norm.weight"), "blk.0.attn_q_norm.weight"],
    n_group: [meta.optional("expert_group_count"), "expert_group_count"],
    topk_group: [meta.optional("expert_group_used_count"), "expert_group_used_count"],
  }),
};
