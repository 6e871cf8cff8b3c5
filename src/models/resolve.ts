import { InvalidInputError, type Problem, refuse } from "../core/errors.ts";
import { checkJson, type Json } from "../core/json.ts";
import { aliases } from "./aliases.ts";
import { attentions } from "./attention.ts";
import { ConfigReader, type Findings } from "./config-reader.ts";
import type { Family } from "./families.ts";
import { feedForwards } from "./feed-forward.ts";
import { isInert } from "./inert.ts";
import { isObject, type JsonObject } from "./json-object.ts";
import { descend } from "./language-model.ts";
import { hybridBlocks, layerPattern } from "./layer-pattern.ts";
import { ngramEmbedding } from "./ngram-embedding.ts";
import { normParameters } from "./norms.ts";
import { refuseOtherFile } from "./other-files.ts";
import { parametersOf } from "./parameters.ts";
import { isParams, translateParams } from "./params-json.ts";
import { modelStorage } from "./quantisation.ts";
import { readFamily } from "./read-family.ts";
import type { LayerSpec, ModelSpec } from "./spec.ts";
import { unreadBeside, unreadKeys } from "./unread-keys.ts";
import { chained } from "./visits.ts";

interface ResolveOptions {
  /** Name of the file for messages, such as `model/config.json`. */
  readonly file: string;
  /** Id and name of the model; without it the name in the file, else its model type. */
  readonly id?: string;
  /** Content of `hf_quant_config.json`, which goes before the quantisation in config.json. */
  readonly quantConfig?: Json;
  /** Gives what can be read of a file that is refused otherwise, a model of an unknown type included. */
  readonly draft?: boolean;
}

export interface Resolution {
  readonly spec: ModelSpec;
  /** Keys of the file that change no shape and were not read, sorted. */
  readonly ignored: readonly string[];
  /** What no key said and was taken from the model class, in words. */
  readonly assumptions: readonly string[];
  /** Of a draft: what the file is refused for; absent: nothing. */
  readonly problems?: readonly Problem[];
}

const layersMax = 4096;

/** Switches of any model that the spec cannot express. */
const unsupportedFeatures = {
  is_encoder_decoder: "an encoder-decoder model",
  mlp_bias: "a bias in the feed-forward network",
  use_parallel_residual: "attention and feed-forward in parallel",
};

/** What any model may do beside its layers that is small and not counted. */
const uncounted = {
  attn_res_block_size: "attention over the outputs of earlier blocks takes no time",
  use_bidirectional_attention: "tokens of other modalities may attend both ways; text does not",
};

/**
 * Resolves a Hugging Face `config.json`, or a `params.json` of Mistral, to a model spec, noting for each number the key it
 * came from. Descends into `text_config` and its like. Throws InvalidInputError with every problem found: missing keys,
 * wrong types, numbers that contradict each other, an unknown model type, and keys that look like a shape and are unknown.
 */
export function resolveConfig(config: Json, options: ResolveOptions): Resolution {
  const content = checkJson(config, options.file);
  if (!isObject(content)) refuse({ file: options.file, expected: "a JSON object", found: content });
  refuseOtherFile(content, options.file);
  const params = isParams(content) ? translateParams(content) : null;
  const root = params?.config ?? content;
  const findings: Findings = {
    file: options.file,
    problems: [],
    provenance: Object.create(null),
    assumptions: [...(params?.assumptions ?? [])],
    draft: options.draft === true,
    ...(params === null ? {} : { keyOf: params.keyOf }),
  };
  const { holders, object, prefix } = descend(root, findings);
  const { modelType, family } = readFamily(object, root, findings);
  const reader = new ConfigReader(ownKeys(object, family), prefix, findings, family.defaults);
  const outer = holders[0] ?? reader;

  for (const key of ["model_type", "architectures"]) for (const each of [reader, ...holders]) each.raw(key);
  reader.unsupported({ ...unsupportedFeatures, ...family.unsupported });
  if (reader.raw("use_mla") === true && family.attention !== "mla")
    reader.problem("use_mla", `false: ${modelType} is known with grouped attention only`, true);
  for (const text of family.assumptions) reader.assume(text);
  for (const [key, text] of Object.entries(uncounted)) {
    const value = reader.raw(key);
    if (value !== undefined && !isInert(value)) reader.assume(`${text} (${key})`);
  }
  const hiddenSize = reader.count("hiddenSize", aliases.hiddenSize, { max: 1048576 });
  const layerCount = readLayerCount(reader, family);
  const vocabSize = reader.count("vocabSize", aliases.vocabSize, { max: 134217728 });
  const contextTokensMax = readContext(reader);
  const tiedEmbeddings = readTied(reader, outer, family);
  const headBias = reader.flag("headBias", ["lm_head_bias"], { value: false, rule: "absent" });
  reader.stop();

  const isDense =
    reader.first(aliases.experts)?.value === 0 || !mentions(reader, [...aliases.experts, ...aliases.topK]);
  const hasExperts = !(family.mayBeDense && isDense);
  const pattern = layerPattern(reader, family, layerCount, hasExperts);
  const mixers = attentions(reader, family, { hiddenSize, contextTokensMax }, pattern.mixers);
  const networks = feedForwards(reader, family, hiddenSize, pattern.feedForwards);
  const streams = reader.count("hyperConnections", ["hc_mult"], {
    max: 64,
    fallback: { value: 1, rule: "plain residual connections" },
  });
  const own = mixers.map((attention, index): LayerSpec => {
    const feedForward = networks[index] ?? { kind: "none" };
    const sublayers = Number(attention.kind !== "none") + Number(feedForward.kind !== "none");
    return {
      attention,
      feedForward,
      // The final norm's bias, where norms have one, is counted with the last layer.
      normParameters:
        normParameters(family.norms, hiddenSize, sublayers, streams) +
        (family.norms.bias && index === layerCount - 1 ? hiddenSize : 0),
      ...(attention.kind === "gqa" && attention.sharedCache === true ? { joined: true } : {}),
    };
  });
  const layers = family.pairedLayers ? pairedLayers(reader, own) : own;
  const ngrams = ngramEmbedding(reader, family, { hiddenSize, vocabSize });
  const mtpLayers = readMtpLayers(reader);
  const stored = { hiddenSize, vocabSize, tiedEmbeddings, layers: own };
  const levels = [reader, ...holders.toReversed()] as const;
  const storage = modelStorage(levels, quantReader(options, findings), stored);
  const visits = family.chainsExperts ? chainedLayers(reader, layers) : layers;
  const ignored = [
    ...unreadKeys(reader, modelType),
    ...holders.flatMap((holder) => unreadBeside(holder, reader)),
  ].sort();
  reader.stop();

  const id = options.id ?? modelType;
  const spec: ModelSpec = {
    id,
    name: id,
    modelType,
    hiddenSize,
    vocabSize,
    tiedEmbeddings,
    ...(ngrams === null ? {} : { ngramEmbedding: ngrams }),
    ...(headBias ? { headBias } : {}),
    contextTokensMax,
    layers: visits,
    mtpLayers,
    ...storage,
    provenance: findings.provenance,
  };
  const { total } = parametersOf(spec);
  if (!Number.isSafeInteger(total))
    refuse({ file: options.file, expected: "shapes of fewer than 2^53 parameters", found: total });
  return { spec, ignored, assumptions: findings.assumptions, problems: findings.problems };
}

/** Layers with the visits that a chain of experts makes, each with a router of its own unless one is shared. */
function chainedLayers(reader: ConfigReader, layers: readonly LayerSpec[]): readonly LayerSpec[] {
  const iterations = reader.count("layers[].visits", ["inner_iter"], {
    max: 64,
    fallback: { value: 1, rule: "no inner_iter" },
  });
  const own = reader.flag("layers[].visits.ownRouters", ["use_igate"], { value: true, rule: "absent" });
  return layers.flatMap((layer) => chained(layer, iterations, own ? "own" : "shared"));
}

/** The model's own keys: with those of its parts, and without those of a latent attention that is switched off. */
function ownKeys(object: JsonObject, family: Family): JsonObject {
  const parts = family.parts.flatMap((part) => Object.entries(isObject(object[part]) ? object[part] : {}));
  const entries = [...parts.filter(([key]) => key !== "model_type"), ...Object.entries(object)];
  const latent = object["use_mla"] === false ? latentKeys : [];
  return Object.fromEntries(entries.filter(([key]) => ![...latent, ...family.parts].includes(key)));
}

/**
 * Layers of two halves, each with attention and a dense network; the experts of the first half are joined in at the end
 * of the second (shortcut-connected MoE, arXiv 2404.05019).
 */
function pairedLayers(reader: ConfigReader, layers: readonly LayerSpec[]): readonly LayerSpec[] {
  const method = reader.text(["attention_method"]);
  if (method !== null && method.toUpperCase() !== "MLA") reader.problem("attention_method", "MLA", method);
  reader.assume(
    "the experts of a layer run beside its first dense network alone; engines may run them beside its second half too, " +
      "which is not simulated",
  );
  return layers.flatMap((layer) => {
    const { feedForward } = layer;
    if (feedForward.kind !== "moe") return [layer];
    const dense: LayerSpec["feedForward"] = {
      kind: "dense",
      width: feedForward.denseWidth,
      matrices: feedForward.matrices,
    };
    return [layer, { ...layer, feedForward: dense, joined: true }];
  });
}

const latentKeys = ["kv_lora_rank", "q_lora_rank", "qk_nope_head_dim", "qk_rope_head_dim", "v_head_dim"];

/** Number of layers; a hybrid pattern has one block per layer and must agree with the count. */
function readLayerCount(reader: ConfigReader, family: Family): number {
  if (family.pairedLayers && reader.raw("num_layers") !== undefined) {
    const pairs = reader.count("layers", ["num_layers"], { max: layersMax / 2 });
    // transformers writes the halves, of which each has a cache.
    const stated = reader.raw("num_hidden_layers") ?? pairs;
    if (stated !== pairs && stated !== 2 * pairs)
      reader.problem("num_hidden_layers", `num_layers ${pairs}, or twice as many halves of layers`, stated);
    return pairs;
  }
  const blocks = hybridBlocks(reader, family);
  const fallback = blocks === null ? {} : { fallback: { value: blocks.length, rule: "entries of the layer pattern" } };
  const count = reader.count("layers", aliases.layerCount, { max: layersMax, ...fallback });
  if (blocks !== null && blocks.length !== count)
    reader.problem(aliases.layerCount[0], `${blocks.length}, the entries of the layer pattern`, count);
  if (blocks !== null && blocks.length > layersMax) reader.problem("layers_block_type", `at most ${layersMax} entries`);
  return count;
}

/** Longest context where the file does not say: what most models of today are served with. */
const usualContextTokens = 131072;

function readContext(reader: ConfigReader): number {
  if (aliases.contextTokensMax.every((key) => reader.raw(key) === undefined))
    reader.assume(`a longest context of ${usualContextTokens} tokens, as no key gives one: set engine.maxModelLen`);
  return reader.countByRank("contextTokensMax", aliases.contextTokensMax, {
    fallback: { value: usualContextTokens, rule: "no key gives it" },
  });
}

/** Whether any of the keys holds something other than nothing or zero. */
function mentions(reader: ConfigReader, keys: readonly string[]): boolean {
  return keys.map((key) => reader.raw(key)).some((value) => value !== undefined && value !== 0);
}

function readTied(reader: ConfigReader, outer: ConfigReader, family: Family): boolean {
  const value = aliases.tiedEmbeddings
    .map((key) => reader.raw(key) ?? outer.raw(key))
    .find((tied) => tied !== undefined);
  if (value !== undefined && typeof value !== "boolean") reader.problem("tie_word_embeddings", "true or false", value);
  const tied = typeof value === "boolean" ? value : family.tied;
  reader.record("tiedEmbeddings", value === undefined ? "model class" : "tie_word_embeddings", tied);
  return tied;
}

function readMtpLayers(reader: ConfigReader): number {
  const keys = ["num_nextn_predict_layers", "mtp_num_hidden_layers", "num_mtp_modules"];
  const key = keys.find((name) => reader.raw(name) !== undefined);
  const none = { min: 0, max: 64, fallback: { value: 0, rule: "no multi-token prediction" } };
  return reader.count("mtpLayers", key === undefined ? [] : [key], none);
}

function quantReader(options: ResolveOptions, findings: Findings): ConfigReader | null {
  if (options.quantConfig === undefined) return null;
  const content = checkJson(options.quantConfig, options.file);
  if (isObject(content)) return new ConfigReader(content, "hf_quant_config.", findings);
  throw new InvalidInputError([
    { file: options.file, at: "hf_quant_config", expected: "a JSON object", found: content },
  ]);
}
