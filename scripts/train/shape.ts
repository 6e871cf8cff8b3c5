/** Sizes of the model that is trained: a Mixtral decoder with tied embeddings. */
export interface Shape {
  readonly vocabulary: number;
  readonly hidden: number;
  readonly layers: number;
  readonly queryHeads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly experts: number;
  readonly topK: number;
  readonly expertWidth: number;
  readonly context: number;
  readonly ropeTheta: number;
  readonly normEpsilon: number;
}

/** config.json of the trained checkpoint. */
export function configJson(shape: Shape): object {
  return {
    architectures: ["MixtralForCausalLM"],
    model_type: "mixtral",
    vocab_size: shape.vocabulary,
    hidden_size: shape.hidden,
    intermediate_size: shape.expertWidth,
    num_hidden_layers: shape.layers,
    num_attention_heads: shape.queryHeads,
    num_key_value_heads: shape.kvHeads,
    head_dim: shape.headDim,
    num_local_experts: shape.experts,
    num_experts_per_tok: shape.topK,
    max_position_embeddings: shape.context,
    rope_theta: shape.ropeTheta,
    rms_norm_eps: shape.normEpsilon,
    hidden_act: "silu",
    tie_word_embeddings: true,
    sliding_window: null,
    torch_dtype: "float32",
  };
}
