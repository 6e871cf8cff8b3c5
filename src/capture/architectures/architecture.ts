import { aliases } from "../../models/aliases.ts";
import type { ConfigReader } from "../../models/config-reader.ts";
import type { DecoderPlan, LayerPlan } from "../decoder/plan.ts";
import { onlyValue, readFlag, readNumber } from "./config-values.ts";
import { linear } from "./feed-forward.ts";

/** Numbers that every decoder has. */
export interface ModelSizes {
  readonly hiddenSize: number;
  readonly vocabSize: number;
  readonly layerCount: number;
  readonly contextTokensMax: number;
}

/** How a model class reads its config.json: one file each, listed in `architectures.ts`. */
export interface Architecture {
  /** Id in plans and traces, such as `qwen3-moe`. */
  readonly id: string;
  /** The layer's attention and feed-forward network; called once, returns a function of the layer's number. */
  layers(reader: ConfigReader, sizes: ModelSizes): (index: number, prefix: string) => LayerParts;
}

type LayerParts = Pick<LayerPlan, "attention" | "feedForward">;

const sizeMax = 1 << 24;
const layersMax = 4096;

/** Switches of any model that are not executed. */
const unsupportedFeatures = {
  is_encoder_decoder: "an encoder-decoder model",
  lm_head_bias: "a bias on the output head",
  mlp_bias: "a bias in the feed-forward network",
  use_parallel_residual: "attention and feed-forward in parallel",
};

/** The plan of a model whose layers are those of `architecture`, under the tensor names that all of them share. */
export function readDecoder(reader: ConfigReader, architecture: Architecture): DecoderPlan {
  const hiddenSize = reader.count("hiddenSize", aliases.hiddenSize, { max: sizeMax });
  const vocabSize = reader.count("vocabSize", aliases.vocabSize, { max: sizeMax });
  const layerCount = reader.count("layers", aliases.layerCount, { max: layersMax });
  const contextTokensMax = reader.countByRank("contextTokensMax", aliases.contextTokensMax);
  reader.stop();

  reader.unsupported(unsupportedFeatures);
  onlyValue(reader, "hidden_act", "silu");
  const normEpsilon = readNumber(reader, ["rms_norm_eps"]);
  const tied = readFlag(reader, "tie_word_embeddings", false);
  const layerOf = architecture.layers(reader, { hiddenSize, vocabSize, layerCount, contextTokensMax });
  const embedding = "model.embed_tokens.weight";
  const head = { ...linear("lm_head", hiddenSize, vocabSize), ...(tied ? { weight: embedding } : {}) };
  return {
    architecture: architecture.id,
    hiddenSize,
    vocabSize,
    contextTokensMax,
    normEpsilon,
    embedding,
    layers: Array.from({ length: layerCount }, (_layer, index): LayerPlan => {
      const prefix = `model.layers.${index}`;
      return {
        index,
        attentionNorm: `${prefix}.input_layernorm.weight`,
        feedForwardNorm: `${prefix}.post_attention_layernorm.weight`,
        ...layerOf(index, prefix),
      };
    }),
    finalNorm: "model.norm.weight",
    head,
  };
}
