import type { Json } from "../core/json.ts";
import { isObject, type JsonObject } from "./json-object.ts";

/** Keys of Mistral's `params.json` and the names that a `config.json` gives to the same quantities. */
const names: Readonly<Record<string, string>> = {
  dim: "hidden_size",
  n_layers: "num_hidden_layers",
  n_heads: "num_attention_heads",
  n_kv_heads: "num_key_value_heads",
  hidden_dim: "intermediate_size",
  max_seq_len: "max_position_embeddings",
  tied_embeddings: "tie_word_embeddings",
  "moe.num_experts": "n_routed_experts",
  "moe.num_experts_per_tok": "num_experts_per_tok",
  "moe.expert_hidden_dim": "moe_intermediate_size",
  "moe.num_shared_experts": "n_shared_experts",
  "moe.first_k_dense_replace": "first_k_dense_replace",
  "moe.route_every_n": "moe_layer_freq",
  "moe.num_expert_groups": "n_group",
  "moe.num_expert_groups_per_tok": "topk_group",
  "moe.use_load_balancing_bias": "use_routing_bias",
};

/** Keys of `moe` that change no shape: how training was spread, and the scale of the weighted sum. */
const harmless = new Set(["moe.expert_parallel", "moe.expert_model_parallel", "moe.routed_scale"]);

/** What vLLM takes where the file gives no longest context. */
const contextTokens = 128_000;

/** A `params.json` in the words of a `config.json`, with the way back for messages. */
interface Translated {
  readonly config: JsonObject;
  /** The key of the file that stands behind one of the config. */
  readonly keyOf: (key: string) => string;
  readonly assumptions: readonly string[];
}

/** Whether an object is a `params.json`, by the two keys that all of them have and no config.json has. */
export const isParams = (root: JsonObject): boolean => "dim" in root && "n_layers" in root && !("hidden_size" in root);

/** Reads a `params.json` as vLLM and mistral-inference do (vllm/transformers_utils/configs/mistral.py). */
export function translateParams(params: JsonObject): Translated {
  const { moe, quantization, sliding_window: window, max_seq_len: longest, model_type: named, ...rest } = params;
  const flat: Record<string, Json> = { ...rest };
  // Engines serve the shorter of two contexts.
  const context = params["max_position_embeddings"] ?? null;
  if (longest !== undefined && longest !== null && !(Number(context ?? Number.POSITIVE_INFINITY) <= Number(longest))) {
    delete flat["max_position_embeddings"];
    flat["max_seq_len"] = longest;
  }
  if (isObject(moe)) for (const [key, value] of Object.entries(moe)) flat[`moe.${key}`] = value;
  else if (moe !== undefined && moe !== null) flat["moe"] = moe;

  const config: Record<string, Json> = {};
  const back = new Map<string, string>();
  for (const [key, value] of Object.entries(flat)) {
    if (harmless.has(key)) continue;
    const name = names[key] ?? key;
    config[name] = value;
    if (name !== key) back.set(name, key);
  }
  const assumptions: string[] = [];
  const unnamed = named === undefined || named === null || named === "transformer";
  config["model_type"] = unnamed ? typeOf(isObject(moe) ? moe : null, params) : named;
  if (config["model_type"] !== "mistral4" && isObject(moe) && config["moe_intermediate_size"] !== undefined) {
    // Mixtral's experts are as wide as hidden_dim; a width of their own takes its place.
    config["intermediate_size"] = config["moe_intermediate_size"];
    back.set("intermediate_size", "moe.expert_hidden_dim");
    delete config["moe_intermediate_size"];
  }
  if (config["max_position_embeddings"] === undefined) {
    config["max_position_embeddings"] = contextTokens;
    assumptions.push(`a context of ${contextTokens} tokens, as engines take it where params.json gives none`);
  }
  if (window !== undefined && window !== null) Object.assign(config, windows(window, params["n_layers"]));
  const scheme = quantization === undefined ? null : schemeOf(quantization);
  if (scheme !== null) config["quantization_config"] = scheme;
  const keyOf = (key: string): string =>
    back.get(key) ?? (scheme === null ? key : key.replace(/^quantization_config\b/, "quantization"));
  return { config, keyOf, assumptions };
}

/** Dense models are Mistral, experts without more are Mixtral, experts behind latent attention are Mistral 4. */
function typeOf(moe: JsonObject | null, params: JsonObject): string {
  if ((params["kv_lora_rank"] ?? null) !== null) return "mistral4";
  return moe === null ? "mistral" : "mixtral";
}

/** One window for all layers, or a list that repeats over the layers, null for those that see everything. */
function windows(window: Json, layers: Json | undefined): JsonObject {
  if (!Array.isArray(window)) return { sliding_window: window };
  const count = typeof layers === "number" && Number.isSafeInteger(layers) && layers > 0 && layers <= 4096 ? layers : 0;
  const width = window.find((item) => item !== null) ?? null;
  const whole =
    window.length > 0 && count % window.length === 0 && window.every((item) => item === null || item === width);
  if (!whole) return { sliding_window: window };
  const types = Array.from({ length: count }, (_, layer) =>
    window[layer % window.length] === null ? "full_attention" : "sliding_attention",
  );
  return { sliding_window: width, layer_types: types };
}

/** FP8 has words of its own; other schemes are written as in a config.json. */
function schemeOf(quantization: Json): Json {
  if (!isObject(quantization) || quantization["qformat_weight"] !== "fp8_e4m3") return quantization;
  const { qformat_weight: _, qscheme_act: scheme, ...rest } = quantization;
  return { quant_method: "fp8", activation_scheme: scheme === "NO_SCALES" ? "dynamic" : "static", ...rest };
}
