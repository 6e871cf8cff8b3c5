/**
 * Names that model authors gave to one and the same quantity. Where a file holds several of a list, they must agree.
 * A bare `top_k` is never read: it is a sampling parameter.
 */
export const aliases = {
  hiddenSize: ["hidden_size", "n_embd", "d_model"],
  layerCount: ["num_hidden_layers", "num_layers", "n_layer", "n_layers"],
  vocabSize: ["vocab_size"],
  /** By rank: files may repeat the limit of a tokeniser or of an older class beside their own. */
  contextTokensMax: [
    "max_position_embeddings",
    "max_position_embedding",
    "n_positions",
    "n_ctx",
    "max_seq_len",
    "max_sequence_length",
    "seq_length",
    "model_max_length",
  ],
  queryHeads: ["num_attention_heads", "n_head", "n_heads"],
  kvHeads: ["num_key_value_heads", "num_attention_groups", "kv_n_heads"],
  headDim: ["head_dim", "kv_channels", "attention_head_dim"],
  queryLoraRank: ["q_lora_rank", "attention_q_lora_dim"],
  kvLoraRank: ["kv_lora_rank", "attention_kv_lora_dim"],
  nopeHeadDim: ["qk_nope_head_dim", "attention_qk_dim"],
  ropeHeadDim: ["qk_rope_head_dim", "attention_qk_rope_dim"],
  valueHeadDim: ["v_head_dim", "attention_v_dim"],
  experts: [
    "n_routed_experts",
    "num_local_experts",
    "num_experts",
    "moe_num_experts",
    "moe_num_primary_experts",
    "num_routed_experts",
  ],
  topK: [
    "num_experts_per_tok",
    "num_experts_per_token",
    "experts_per_token",
    "top_k_experts",
    "moe_top_k",
    "moe_topk",
    "moe_k",
    "moe_num_active_primary_experts",
    "num_selects",
  ],
  sharedExperts: ["n_shared_experts", "num_shared_experts", "num_shared_expert", "moe_num_shared_experts"],
  sharedWidth: [
    "shared_expert_intermediate_size",
    "moe_shared_expert_intermediate_size",
    "shared_intermediate_size",
    "share_expert_dim",
  ],
  latentWidth: ["moe_latent_size", "routed_expert_hidden_size"],
  groups: ["n_group", "num_expert_group", "num_expert_groups"],
  groupsKept: ["topk_group", "num_limited_groups"],
  scoring: [
    "scoring_func",
    "moe_router_activation_func",
    "moe_router_activation",
    "score_function",
    "score_func",
    "expert_selection_fn",
  ],
  normalisesTopK: ["norm_topk_prob", "moe_renormalize", "norm_expert_weight", "route_norm"],
  routerBias: [
    "use_routing_bias",
    "use_moe_router_bias",
    "moe_router_enable_expert_bias",
    "moe_use_aux_free",
    "use_expert_bias",
  ],
  densePrefix: ["first_k_dense_replace", "num_dense_layers", "moe_layer_num_skipped", "first_last_k_dense_replace"],
  windowTokens: ["sliding_window", "sliding_window_size"],
  outputGate: ["attn_output_gate", "attention_output_gate"],
  dtype: ["dtype", "torch_dtype"],
  tiedEmbeddings: ["tie_word_embeddings", "tie_embedding"],
} as const satisfies Record<string, readonly string[]>;

/** Keys under which a multimodal model nests its language model. */
export const nestingKeys = ["text_config", "llm_config", "language_config", "thinker_config"] as const;
