import { InvalidInputError, refuse } from "../core/errors.ts";
import { checkJson, type Json } from "../core/json.ts";
import { own } from "../core/own.ts";
import { closest } from "../core/suggest.ts";
import { aliases, nestingKeys } from "./aliases.ts";
import { attentions } from "./attention.ts";
import { ConfigReader, type Findings } from "./config-reader.ts";
import { architectureTypes, type Family, families, unsupportedFamilies } from "./families.ts";
import { feedForwards } from "./feed-forward.ts";
import { isObject, type JsonObject } from "./json-object.ts";
import { hybridBlocks, layerPattern } from "./layer-pattern.ts";
import { parametersOf } from "./parameters.ts";
import { modelStorage } from "./quantisation.ts";
import type { LayerSpec, ModelSpec } from "./spec.ts";
import { chained } from "./visits.ts";

interface ResolveOptions {
  /** Name of the file for messages, such as `model/config.json`. */
  readonly file: string;
  /** Id and name of the model; without it the name in the file, else its model type. */
  readonly id?: string;
  /** Content of `hf_quant_config.json`, which goes before the quantisation in config.json. */
  readonly quantConfig?: Json;
}

export interface Resolution {
  readonly spec: ModelSpec;
  /** Keys of the file that change no shape and were not read, sorted. */
  readonly ignored: readonly string[];
  /** What no key said and was taken from the model class, in words. */
  readonly assumptions: readonly string[];
}

const layersMax = 4096;

/** Switches of any model that the spec cannot express. */
const unsupportedFeatures = {
  is_encoder_decoder: "an encoder-decoder model",
  mlp_bias: "a bias in the feed-forward network",
  use_parallel_residual: "attention and feed-forward in parallel",
};

/**
 * Resolves a Hugging Face `config.json` to a model spec, noting for each number the key it came from. Descends into
 * `text_config` and its like. Throws InvalidInputError with every problem found: missing keys, wrong types, numbers that
 * contradict each other, an unknown model type, and keys that look like a shape and are unknown.
 */
export function resolveConfig(config: Json, options: ResolveOptions): Resolution {
  const findings: Findings = { file: options.file, problems: [], provenance: Object.create(null), assumptions: [] };
  const root = checkJson(config, options.file);
  if (!isObject(root)) refuse({ file: options.file, expected: "a JSON object", found: root });
  const outer = new ConfigReader(root, "", findings);
  const { reader, object, levels } = descend(root, outer, findings);
  const modelType = readModelType(object, root, options.file);
  const family: Family = families[modelType];

  for (const key of ["model_type", "architectures"]) {
    reader.raw(key);
    outer.raw(key);
  }
  reader.unsupported({ ...unsupportedFeatures, ...family.unsupported });
  const hiddenSize = reader.count("hiddenSize", aliases.hiddenSize, { max: 1048576 });
  const layerCount = readLayerCount(reader);
  const vocabSize = reader.count("vocabSize", aliases.vocabSize, { max: 134217728 });
  const contextTokensMax = reader.count("contextTokensMax", aliases.contextTokensMax);
  const tiedEmbeddings = readTied(reader, outer, family);
  const headBias = reader.flag("headBias", ["lm_head_bias"], { value: false, rule: "absent" });
  reader.stop();

  const hasExperts = !family.mayBeDense || mentions(reader, [...aliases.experts, ...aliases.topK]);
  const pattern = layerPattern(reader, family, layerCount, hasExperts);
  const mixers = attentions(reader, family, { hiddenSize, contextTokensMax }, pattern.mixers);
  const networks = feedForwards(reader, family, hiddenSize, pattern.feedForwards);
  const streams = reader.count("hyperConnections", ["hc_mult"], {
    max: 64,
    fallback: { value: 1, rule: "plain residual connections" },
  });
  const layers = mixers.map((attention, index): LayerSpec => {
    const feedForward = networks[index] ?? { kind: "none" };
    const sublayers = Number(attention.kind !== "none") + Number(feedForward.kind !== "none");
    return {
      attention,
      feedForward,
      // The final norm's bias, where norms have one, is counted with the last layer.
      normParameters:
        normParameters(family, hiddenSize, sublayers, streams) +
        (family.norms.bias && index === layerCount - 1 ? hiddenSize : 0),
    };
  });
  const mtpLayers = readMtpLayers(reader);
  const shape = { hiddenSize, vocabSize, tiedEmbeddings, layers };
  const storage = modelStorage(levels, quantReader(options, findings), shape);
  const visits = family.chainsExperts ? chainedLayers(reader, layers) : layers;
  const ignored = [...new Set([...reader.unread(modelType), ...(reader === outer ? [] : outer.rest())])].sort();
  reader.stop();

  const id = options.id ?? modelType;
  const spec: ModelSpec = {
    id,
    name: id,
    modelType,
    hiddenSize,
    vocabSize,
    tiedEmbeddings,
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
  return { spec, ignored, assumptions: findings.assumptions };
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

/** The objects of a config that hold the language model, the innermost first. */
type Levels = readonly [ConfigReader, ...ConfigReader[]];

/** Walks into the language model of a multimodal config. */
function descend(
  root: JsonObject,
  outer: ConfigReader,
  findings: Findings,
): { readonly reader: ConfigReader; readonly object: JsonObject; readonly levels: Levels } {
  let object = root;
  let reader = outer;
  let prefix = "";
  let levels: Levels = [outer];
  for (let depth = 0; depth < nestingKeys.length; depth += 1) {
    const key = nestingKeys.find((name) => isObject(object[name]));
    const inner = key === undefined ? undefined : object[key];
    if (key === undefined || !isObject(inner)) break;
    reader.raw(key);
    prefix += `${key}.`;
    object = inner;
    reader = new ConfigReader(inner, prefix, findings);
    levels = [reader, ...levels];
  }
  return { reader, object, levels };
}

function readModelType(object: JsonObject, root: JsonObject, file: string): keyof typeof families {
  const architecture = Array.isArray(root["architectures"]) ? root["architectures"][0] : undefined;
  const fallback = typeof architecture === "string" ? own(architectureTypes, architecture) : undefined;
  const named = object["model_type"] ?? root["model_type"] ?? fallback;
  if (typeof named !== "string")
    refuse({ file, at: "model_type", expected: "the model's type", found: named ?? architecture });
  const modelType = named.replace(/_text$/, "").replace(/^PanguProMoE$/, "pangu_pro_moe");
  const reason = own(unsupportedFamilies, modelType);
  if (reason !== undefined)
    refuse({ file, at: "model_type", expected: "a decoder-only model of plain layers", found: named, hint: reason });
  if (!Object.hasOwn(families, modelType)) {
    const near = closest(modelType, Object.keys(families));
    const hint = near === null ? undefined : `did you mean ${near}?`;
    refuse({
      file,
      at: "model_type",
      expected: "a known model type",
      found: named,
      ...(hint === undefined ? {} : { hint }),
    });
  }
  return modelType as keyof typeof families;
}

/** Number of layers; a hybrid pattern has one block per layer and must agree with the count. */
function readLayerCount(reader: ConfigReader): number {
  const blocks = hybridBlocks(reader);
  const fallback = blocks === null ? {} : { fallback: { value: blocks.length, rule: "entries of the layer pattern" } };
  const count = reader.count("layers", aliases.layerCount, { max: layersMax, ...fallback });
  if (blocks !== null && blocks.length !== count)
    reader.problem(aliases.layerCount[0], `${blocks.length}, the entries of the layer pattern`, count);
  if (blocks !== null && blocks.length > layersMax) reader.problem("layers_block_type", `at most ${layersMax} entries`);
  return count;
}

/** Whether any of the keys holds something other than nothing or zero. */
function mentions(reader: ConfigReader, keys: readonly string[]): boolean {
  return keys.map((key) => reader.raw(key)).some((value) => value !== undefined && value !== 0);
}

function readTied(reader: ConfigReader, outer: ConfigReader, family: Family): boolean {
  const value = reader.raw("tie_word_embeddings") ?? outer.raw("tie_word_embeddings");
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

/** Norms of a layer, and with hyper-connections the weights that mix its residual streams before each sublayer. */
function normParameters(family: Family, hiddenSize: number, sublayers: number, streams: number): number {
  const vectors = (family.norms.perLayer / 2) * sublayers * (family.norms.bias ? 2 : 1);
  if (streams === 1) return vectors * hiddenSize;
  const mixes = (2 + streams) * streams;
  return vectors * hiddenSize + sublayers * (mixes * streams * hiddenSize + mixes + 3);
}

function quantReader(options: ResolveOptions, findings: Findings): ConfigReader | null {
  if (options.quantConfig === undefined) return null;
  const content = checkJson(options.quantConfig, options.file);
  if (isObject(content)) return new ConfigReader(content, "hf_quant_config.", findings);
  throw new InvalidInputError([
    { file: options.file, at: "hf_quant_config", expected: "a JSON object", found: content },
  ]);
}
