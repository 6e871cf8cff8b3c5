import type { RoutingRule } from "../../models/routing.ts";

/**
 * What executes: a decoder-only model as tensor names and numbers, made from config.json by `src/capture/architectures`
 * and executed by `src/capture/decoder`. Names are those of the tensors in the checkpoint.
 */
export interface DecoderPlan {
  /** Id in the table of architectures, such as `qwen3-moe`. */
  readonly architecture: string;
  readonly hiddenSize: number;
  readonly vocabSize: number;
  readonly contextTokensMax: number;
  readonly normEpsilon: number;
  /** [vocabSize, hiddenSize] */
  readonly embedding: string;
  readonly layers: readonly LayerPlan[];
  /** RMSNorm before the head: [hiddenSize]. */
  readonly finalNorm: string;
  /** Tied heads name the embedding. */
  readonly head: LinearPlan;
}

export interface LayerPlan {
  /** Number of the layer in the model. */
  readonly index: number;
  /** RMSNorm before attention: [hiddenSize]. */
  readonly attentionNorm: string;
  readonly attention: GqaPlan | MlaPlan;
  /** RMSNorm before the feed-forward network: [hiddenSize]. */
  readonly feedForwardNorm: string;
  readonly feedForward: DensePlan | MoePlan;
}

/** y = x W^T + b; the weight is stored [outputWidth, inputWidth]. */
export interface LinearPlan {
  readonly weight: string;
  readonly bias: string | null;
  readonly inputWidth: number;
  readonly outputWidth: number;
}

/** Rotary position embedding with its scaling worked in. */
export interface RopePlan {
  /** Values of a head that rotate; the first ones (of the rotary part in MLA). Even. */
  readonly dims: number;
  /** Angle per position of each pair: [dims / 2]. */
  readonly inverseFrequencies: Float64Array;
  /** Factor on cosine and sine (YaRN's attention factor); 1 without. */
  readonly magnitude: number;
  /** Pairs are neighbours (2i, 2i+1) in the checkpoint's layout, as DeepSeek stores them, instead of (i, i + dims/2). */
  readonly interleaved: boolean;
}

export interface GqaPlan {
  readonly kind: "gqa";
  readonly queryHeads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly query: LinearPlan;
  readonly key: LinearPlan;
  readonly value: LinearPlan;
  readonly output: LinearPlan;
  /** RMSNorm of queries and keys: over each head ([headDim], Qwen3) or over all of them ([heads x headDim], OLMoE). */
  readonly queryNorm: string | null;
  readonly keyNorm: string | null;
  readonly normScope: "head" | "projection";
  /** Queries, keys and values are clipped to [-clip, clip] (OLMoE's clip_qkv); null: not. */
  readonly clip: number | null;
  readonly rope: RopePlan;
  /** Keys visible to a query, its own included; null: all. */
  readonly windowTokens: number | null;
  /** A learned logit per query head that joins the softmax and is dropped (gpt-oss): [queryHeads]. */
  readonly sinks: string | null;
  /** Factor on q k^T. */
  readonly scale: number;
}

/** Multi-head latent attention (DeepSeek-V2, section 2.1), executed unabsorbed. */
export interface MlaPlan {
  readonly kind: "mla";
  readonly queryHeads: number;
  readonly nopeHeadDim: number;
  readonly ropeHeadDim: number;
  readonly valueHeadDim: number;
  readonly kvLoraRank: number;
  /** Compression of queries with its norm; null where queries are projected directly by `queryUp`. */
  readonly queryDown: { readonly linear: LinearPlan; readonly norm: string } | null;
  /** To [queryHeads x (nopeHeadDim + ropeHeadDim)], each head's rotary part last. */
  readonly queryUp: LinearPlan;
  /** To [kvLoraRank + ropeHeadDim]: latent, then the rotary key that all heads share. */
  readonly kvDown: LinearPlan;
  readonly kvNorm: string;
  /** Latent to [queryHeads x (nopeHeadDim + valueHeadDim)]. */
  readonly kvUp: LinearPlan;
  readonly output: LinearPlan;
  readonly rope: RopePlan;
  /** Factor on q k^T, YaRN's correction included. */
  readonly scale: number;
}

/** down(act(gate(x)) * up(x)); SwiGLU unless `activation` says otherwise. */
export interface DensePlan {
  readonly kind: "dense";
  readonly gate: LinearPlan;
  readonly up: LinearPlan;
  readonly down: LinearPlan;
  readonly activation: Activation;
}

/** `silu`: SwiGLU. `clampedSwish`: gpt-oss, (up + 1) * gate * sigmoid(1.702 gate) with gate <= 7 and |up| <= 7. */
export type Activation = "silu" | "clampedSwish";

export interface MoePlan {
  readonly kind: "moe";
  readonly experts: number;
  readonly topK: number;
  readonly expertWidth: number;
  /** Router logits. */
  readonly gate: LinearPlan;
  readonly routing: RoutingRule;
  /** Added to the scores for selection only (DeepSeek-V3's e_score_correction_bias): [experts]. */
  readonly selectionBias: string | null;
  readonly expert: ExpertLayout;
  readonly activation: Activation;
  /** Shared experts, all as one network; null without. */
  readonly shared: DensePlan | null;
  /** Sigmoid gate on the shared experts' output, to one value (Qwen1.5 / 2-MoE); null without. */
  readonly sharedGate: LinearPlan | null;
}

/** Where an expert's matrices lie. */
export type ExpertLayout =
  | {
      /** One tensor each, stored [out, in]. `{}` in a name stands for the expert's number. */
      readonly kind: "separate";
      readonly gate: string;
      readonly up: string;
      readonly down: string;
      /** A learned factor on each expert's output, [1, experts] (Pangu Pro MoE), worked into `down` when read; absent: 1. */
      readonly outputScale?: string;
    }
  | {
      /**
       * All experts in one tensor, stored [experts, in, out] (gpt-oss): gate and up interleaved value by value in
       * [experts, hidden, 2 x width], down [experts, width, hidden], biases [experts, 2 x width] and [experts, hidden].
       */
      readonly kind: "fused";
      readonly gateUp: string;
      readonly gateUpBias: string;
      readonly down: string;
      readonly downBias: string;
    };
