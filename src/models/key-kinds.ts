/** What a key that no reader asked for may be: of a shape, of a part beside the language model, of neither, or unknown. */
export type KeyKind = "shape" | "part" | "harmless" | "unknown";

/** Objects that describe a tower, a projector or a decoder beside the language model. */
const part =
  /^(?:vision|visual|vit|audio|speech|sound|image|video|talker|code2wav|token2wav|projector|aligner|encoder|mm)(?:_\w+)?_(?:config|cfg)$|^(?:vision|audio)_tower$/;

/**
 * A key that looks like one of these may change a shape, the path of a token or what attention sees, so a model that sets
 * it and whose resolver does not read it is refused.
 */
const shape =
  /expert|moe|latent|rank|heads|head_dim|ssm|mamba|lora|indexer|share|spars|window|chunk|hybrid|cross_attention|^use_mla$|(?:^|_)(?:cla|moba|nsa|dsa)(?:_|$)|dense_replace|sink(?!horn)|layer(?!_?(?:norm|scale|drop))|dim$|_(?:width|size|types|pattern|freq|frequency|interval|period|layout)$|^(?:num|n)_|_every_/;

/** Words of token ids, numerics, initialisation, training and generation, none of which changes a shape. */
const harmless =
  /(?:^|_)(?:token|bos|eos|eod|pad|sep|unk|mask|patch|start|end)_ids?$|_(?:token|label|placeholder)$|(?:token|ignore)_index$|^tokenizer|drop(?:out|ping)|_p?drop$|_eps(?:ilon)?$|initializer|_std$|activation|_act(?:_fn)?$|(?:^|_)loss(?:_|$)|jitter|_scal(?:e|ing)(?:_factor|_beta)?$|^scal(?:e|ing)_|multiplier|softcap|time_step|^mup_|^_|version$|^auto_map$|dtype$|beam|_penalty$|_use_cache$|^use_cache$|template|gradient|theta$|^layernorm_|_fp32(?:_|$)/;

/**
 * Keys whose name looks like a shape or like nothing known, and which change no stored shape and no path: training,
 * kernels, numerics, generation, widths of layers that the model does not have, and modules that are not counted.
 */
const harmlessKeys: ReadonlySet<string> = new Set([
  // Expert layers: training, numerics and kernels.
  "capacity_factor",
  "drop_tokens",
  "dropped_padding",
  "enable_moe_fp32_combine",
  "ep_size",
  "expert_capacity",
  "expert_dropout",
  "expert_dtype",
  "latent_moe_use_norm",
  "load_balance_coeff",
  "max_latent_cache",
  "moe_enable_early_router",
  "moe_dynamic_exp_p",
  "moe_gate",
  "moe_norm_min",
  "moe_router_enable_shared_expert",
  "moe_shared_expert_overlap",
  "output_router_logits",
  "router_aux_loss_coef",
  "seq_aux",
  "shared_expert_combination_strategy",
  "uniform_expert_assignment",
  "use_grouped_mm",
  "use_moe",
  // Attention and mixers: positions, numerics and kernels.
  "attention_value_scale",
  "attn_temperature_tuning",
  "clip_qkv",
  "expand",
  "hc_sinkhorn_iters",
  "initial_context_length",
  "mamba_hidden_act",
  "mamba_inner_layernorms",
  "mamba_ssm_cache_dtype",
  "mla_use_nope",
  "original_max_position_embeddings",
  "rotary_dim",
  "max_attn_value",
  "mla_scale_kv_lora",
  "mla_scale_q_lora",
  "pruned_heads",
  "use_mamba_kernels",
  // Widths of networks in a model without them, and of embeddings per layer in one without those.
  "intermediate_size",
  "vocab_size_per_layer_input",
  // Norms and scales.
  "dim_model_base",
  "norm_head",
  "normalization_function",
  "postnorm",
  "rescale_prenorm_residual",
  "residual_in_fp32",
  "sandwich_norm",
  "use_gemma_norm",
  "use_rmsnorm",
  // Training and generation.
  "bad_words_ids",
  "chunk_size_feed_forward",
  "diversity_penalty",
  "do_sample",
  "early_stopping",
  "encoder_no_repeat_ngram_size",
  "finetuning_task",
  "for_llm_compressor",
  "id2label",
  "is_decoder",
  "lm_head",
  "label2id",
  "max_length",
  "model_name",
  "no_repeat_ngram_size",
  "num_beam_groups",
  "num_beams",
  "num_labels",
  "num_logits_to_keep",
  "num_return_sequences",
  "prefix",
  "pretraining_tp",
  "problem_type",
  "return_dict",
  "task_specific_params",
  "temperature",
  "top_k",
  "top_p",
  "typical_p",
  "world_size",
]);

/** Multi-token prediction, whose modules are not part of the model; clamps, and how experts were trained. */
const beside =
  /(?:^|_)mtp|nextn|swiglu|^moe_\w*(?:loss|jitter|capacity|drop|dtype|scaling|softcap|normalize_expert_weights)/;

/** Positions, unless it is the size of what they turn. */
const positions = /(?:^|_)(?:rope|nope|rotary|yarn)(?:_|$)/;
const sizes = /dim|rank|heads|size/;

/** Words of other modalities; experts of theirs would be held beside those of text. */
const modality = /(?:^|_)(?:vision|visual|image|video|audio|speech|pixel|patch)(?:_|$)/;
const experts = /expert|moe/;

/** Sorts a key by its name alone. */
export function keyKind(key: string): KeyKind {
  if (harmlessKeys.has(key) || beside.test(key)) return "harmless";
  if (positions.test(key) && !sizes.test(key)) return "harmless";
  if (part.test(key)) return "part";
  if (modality.test(key) && !experts.test(key)) return harmless.test(key) ? "harmless" : "part";
  if (shape.test(key)) return "shape";
  return harmless.test(key) ? "harmless" : "unknown";
}
