import { planOf } from "../../../src/capture/architectures/plan-of.ts";
import type { DecoderPlan } from "../../../src/capture/decoder/plan.ts";
import { InvalidInputError } from "../../../src/core/errors.ts";
import type { Json } from "../../../src/core/json.ts";

export type Config = Readonly<Record<string, Json>>;

const sizes = {
  vocab_size: 100,
  hidden_size: 32,
  num_hidden_layers: 3,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  max_position_embeddings: 128,
  hidden_act: "silu",
  tie_word_embeddings: false,
  torch_dtype: "bfloat16",
};

/** The published config.json files with small sizes, in the spelling of the release. */
export const mixtral: Config = {
  ...sizes,
  architectures: ["MixtralForCausalLM"],
  model_type: "mixtral",
  intermediate_size: 48,
  num_local_experts: 8,
  num_experts_per_tok: 2,
  output_router_logits: false,
  rms_norm_eps: 1e-5,
  rope_theta: 1e6,
  router_aux_loss_coef: 0.02,
  sliding_window: null,
};

export const olmoe: Config = {
  ...sizes,
  model_type: "olmoe",
  attention_bias: false,
  clip_qkv: null,
  intermediate_size: 24,
  norm_topk_prob: false,
  num_experts: 8,
  num_experts_per_tok: 3,
  num_key_value_heads: 4,
  rms_norm_eps: 1e-5,
  rope_scaling: null,
  rope_theta: 10000,
};

export const qwen2Moe: Config = {
  ...sizes,
  model_type: "qwen2_moe",
  decoder_sparse_step: 1,
  intermediate_size: 48,
  max_window_layers: 2,
  moe_intermediate_size: 24,
  norm_topk_prob: false,
  num_experts: 8,
  num_experts_per_tok: 3,
  rms_norm_eps: 1e-6,
  rope_theta: 1e6,
  shared_expert_intermediate_size: 40,
  sliding_window: 64,
  use_sliding_window: false,
};

export const qwen3Moe: Config = {
  ...sizes,
  model_type: "qwen3_moe",
  attention_bias: false,
  decoder_sparse_step: 1,
  head_dim: 16,
  intermediate_size: 48,
  max_window_layers: 3,
  mlp_only_layers: [],
  moe_intermediate_size: 24,
  norm_topk_prob: true,
  num_experts: 8,
  num_experts_per_tok: 3,
  rms_norm_eps: 1e-6,
  rope_scaling: null,
  rope_theta: 1e6,
  sliding_window: null,
  use_sliding_window: false,
};

const deepseek = {
  ...sizes,
  attention_bias: false,
  intermediate_size: 48,
  kv_lora_rank: 16,
  moe_intermediate_size: 24,
  moe_layer_freq: 1,
  first_k_dense_replace: 1,
  n_routed_experts: 8,
  num_experts_per_tok: 3,
  num_key_value_heads: 4,
  qk_nope_head_dim: 12,
  qk_rope_head_dim: 4,
  v_head_dim: 10,
  rms_norm_eps: 1e-6,
  rope_theta: 10000,
};

/** DeepSeek-V2 proper; V2-Lite has no query compression and no groups. */
export const deepseekV2: Config = {
  ...deepseek,
  model_type: "deepseek_v2",
  n_group: 4,
  n_shared_experts: 2,
  norm_topk_prob: false,
  q_lora_rank: 20,
  rope_scaling: {
    beta_fast: 32,
    beta_slow: 1,
    factor: 40,
    mscale: 0.75,
    mscale_all_dim: 0.75,
    original_max_position_embeddings: 4096,
    type: "yarn",
  },
  routed_scaling_factor: 16,
  scoring_func: "softmax",
  topk_group: 2,
  topk_method: "group_limited_greedy",
};

export const deepseekV3: Config = {
  ...deepseek,
  model_type: "deepseek_v3",
  n_group: 4,
  n_shared_experts: 1,
  norm_topk_prob: true,
  num_nextn_predict_layers: 1,
  q_lora_rank: 20,
  quantization_config: {
    activation_scheme: "dynamic",
    fmt: "e4m3",
    quant_method: "fp8",
    weight_block_size: [128, 128],
  },
  routed_scaling_factor: 2.5,
  scoring_func: "sigmoid",
  topk_group: 2,
  topk_method: "noaux_tc",
};

export const gptOss: Config = {
  ...sizes,
  model_type: "gpt_oss",
  attention_bias: true,
  experts_per_token: 3,
  head_dim: 16,
  initial_context_length: 4096,
  intermediate_size: 48,
  layer_types: ["sliding_attention", "full_attention", "sliding_attention"],
  num_experts_per_tok: 3,
  num_local_experts: 8,
  quantization_config: { quant_method: "mxfp4", modules_to_not_convert: ["lm_head"] },
  rms_norm_eps: 1e-5,
  rope_scaling: {
    beta_fast: 32,
    beta_slow: 1,
    factor: 32,
    original_max_position_embeddings: 4096,
    rope_type: "yarn",
    truncate: false,
  },
  rope_theta: 150000,
  sliding_window: 8,
  swiglu_limit: 7,
};

export const panguProMoe: Config = {
  ...sizes,
  model_type: "PanguProMoE",
  moe_intermediate_size: 24,
  num_experts: 8,
  num_experts_per_tok: 4,
  rms_norm_eps: 1e-5,
  rope_theta: 16e6,
  shared_expert_intermediate_size: 40,
};

export const plan = (config: Config): DecoderPlan => planOf(config, "config.json");

/** `key: expectation` of everything that is refused. */
export function refusalsOf(config: Config): string[] {
  try {
    plan(config);
  } catch (error) {
    if (error instanceof InvalidInputError) return error.problems.map(({ at, expected }) => `${at}: ${expected}`);
    throw error;
  }
  return [];
}
