/**
 * Names that model authors gave to one and the same quantity. Where a file holds several of a list, they must agree.
 * A bare `top_k` is never read: it is a sampling parameter.
 */
export const aliases = {
  hiddenSize: ["hidden_size", "n_embd", "d_model"],
  layerCount: ["num_hidden_layers", "num_layers", "n_layer"],
  vocabSize: ["vocab_size"],
  contextTokensMax: ["max_position_embeddings", "n_positions"],
  queryHeads: ["num_attention_heads", "n_head"],
  kvHeads: ["num_key_value_heads"],
  headDim: ["head_dim", "kv_channels", "attention_head_dim"],
  experts: ["n_routed_experts", "num_local_experts", "num_experts", "moe_num_experts"],
  topK: [
    "num_experts_per_tok",
    "num_experts_per_token",
    "experts_per_token",
    "top_k_experts",
    "moe_top_k",
    "moe_topk",
    "num_selects",
  ],
  sharedExperts: ["n_shared_experts", "num_shared_experts", "num_shared_expert"],
  sharedWidth: [
    "shared_expert_intermediate_size",
    "moe_shared_expert_intermediate_size",
    "shared_intermediate_size",
    "share_expert_dim",
  ],
  latentWidth: ["moe_latent_size", "routed_expert_hidden_size"],
  groups: ["n_group", "num_expert_group"],
  groupsKept: ["topk_group"],
  scoring: ["scoring_func", "moe_router_activation_func", "score_function"],
  normalisesTopK: ["norm_topk_prob", "moe_renormalize"],
  routerBias: ["use_routing_bias", "use_moe_router_bias", "use_expert_bias", "moe_router_enable_expert_bias"],
  densePrefix: ["first_k_dense_replace", "num_dense_layers", "moe_layer_num_skipped"],
  windowTokens: ["sliding_window", "sliding_window_size"],
  outputGate: ["attn_output_gate", "attention_output_gate"],
  dtype: ["dtype", "torch_dtype"],
  tiedEmbeddings: ["tie_word_embeddings", "tie_embedding"],
} as const satisfies Record<string, readonly string[]>;

/** Keys under which a multimodal model nests its language model. */
export const nestingKeys = ["text_config", "llm_config", "language_config", "thinker_config"] as const;

/**
 * A key that looks like one of these may change a shape or the path of a token, so a model that sets it and whose
 * resolver does not read it is refused.
 */
export const shapePattern = /expert|moe|latent|rank|heads|head_dim|ssm|mamba|lora|indexer|_share[sd]?_|dim$|_width$/;

/** Keys that match {@link shapePattern} but change no stored shape and no path: training, kernels, numerics, sampling. */
export const harmlessKeys: ReadonlySet<string> = new Set([
  "expert_capacity",
  "expert_dropout",
  "expert_dtype",
  "expert_swiglu_limit_list",
  "index_share_for_mtp_iteration",
  "indexer_rope_interleave",
  "latent_moe_use_norm",
  "mamba_hidden_act",
  "mamba_ssm_cache_dtype",
  "max_latent_cache",
  "mla_scale_kv_lora",
  "mla_scale_q_lora",
  "moe_drop_tokens",
  "moe_random_routing_dropped_token",
  "moe_router_dtype",
  "moe_router_scaling_factor",
  "moe_shared_expert_overlap",
  "output_router_logits",
  "pruned_heads",
  "rotary_dim",
  "share_expert_swiglu_limit_list",
  "swa_rope_theta",
  "use_mamba_kernels",
  "moe_aux_loss_coeff",
  "router_aux_loss_coef",
]);
