import { type Problem, refuse } from "../core/errors.ts";
import { own } from "../core/own.ts";
import { closest } from "../core/suggest.ts";
import { wordLines } from "../core/word-lines.ts";
import { aliases } from "./aliases.ts";
import type { Findings } from "./config-reader.ts";
import { type Family, families, plain, unsupportedFamilies } from "./families.ts";
import type { JsonObject } from "./json-object.ts";
import { familyName, statedType, typeOfClass } from "./language-model.ts";

interface NamedFamily {
  readonly modelType: string;
  readonly family: Family;
}

/** The family of a model's type. An unknown one is refused; a draft notes it and goes on with what is nearest. */
export function readFamily(object: JsonObject, root: JsonObject, findings: Findings): NamedFamily {
  const { file, draft } = findings;
  const named = statedType(object, root);
  if (typeof named !== "string") {
    const problem = { file, at: "model_type", expected: "the model's type", found: named };
    if (draft !== true) refuse(problem);
    findings.problems.push(problem);
    return { modelType: "unknown-model", family: guessedFamily(object) };
  }
  const modelType = familyName(named);
  const reason = own(unsupportedFamilies, modelType);
  if (reason !== undefined)
    refuse({ file, at: "model_type", expected: "a decoder-only model of plain layers", found: named, hint: reason });
  const family = own<Family>(families, modelType);
  if (family !== undefined) {
    const byClass = typeOfClass(object);
    // Of two names for one kind of model it does not matter which counts.
    if (byClass !== undefined && JSON.stringify(families[byClass as keyof typeof families]) !== JSON.stringify(family))
      findings.assumptions.push(
        `read as ${modelType}, though architectures names a class of ${byClass}: an engine that goes by the class loads another model`,
      );
    return { modelType, family: withoutLatent(family, object) };
  }
  const problem = unknownType(modelType, named, object, file);
  if (draft !== true) refuse(problem);
  findings.problems.push(problem);
  const near = closest(modelType, Object.keys(families));
  findings.assumptions.push(
    near === null
      ? "read by its keys alone; what its class fixes (scoring, norms, biases, windows) is as in most models"
      : `read as ${near}, the nearest type that is known; what its class fixes (scoring, norms, biases, windows) may differ`,
  );
  return { modelType, family: near === null ? guessedFamily(object) : families[near as keyof typeof families] };
}

/** Latent attention can be switched off (DeepSeek-OCR). */
function withoutLatent(family: Family, object: JsonObject): Family {
  return object["use_mla"] === false && family.attention === "mla"
    ? { ...family, attention: "gqa", defaults: {} }
    : family;
}

function unknownType(modelType: string, found: string, object: JsonObject, file: string): Problem {
  const known = Object.keys(families).sort();
  const near = closest(modelType, known);
  const hint =
    near !== null ? `did you mean ${near}?` : speaksOfExperts(object) ? null : "its keys speak of no experts";
  return {
    file,
    at: "model_type",
    expected: "a known model type",
    found,
    ...(hint === null ? {} : { hint }),
    below: [
      "known model types:",
      ...wordLines(known).map((line) => `  ${line}`),
      "any other model can be described by hand, as model.shape of a scenario; what this file says of it:",
      `  moecast model shape ${quoted(file)}`,
    ],
  };
}

/** A path as one word of a shell. */
const quoted = (path: string): string => (/^[\w./~+,@%=:-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`);

const speaksOfExperts = (object: JsonObject): boolean => Object.keys(object).some((key) => /expert|moe/i.test(key));

/** What the keys of a file of unknown type speak for. What they do not say is as in most models. */
function guessedFamily(object: JsonObject): Family {
  const has = (...keys: readonly string[]): boolean => keys.some((key) => (own(object, key) ?? null) !== null);
  return {
    ...plain,
    attention: has("compress_ratios") ? "compressed" : has("kv_lora_rank") ? "mla" : "gqa",
    mixer: has("linear_num_key_heads")
      ? "delta-net"
      : has("linear_attn_config")
        ? "kimi-delta"
        : has("mamba_dt_rank")
          ? "mamba1"
          : has("ssm_state_size", "mamba_n_heads")
            ? "mamba2"
            : has("conv_L_cache")
              ? "short-convolution"
              : has("layer_group_size") || [object["attn_type_list"]].flat().includes(0)
                ? "lightning"
                : null,
    singleSublayers: has("hybrid_override_pattern") || (has("layers_block_type") && has("ssm_state_size")),
    zeroExperts: has("zero_expert_num"),
    window: has("attention_chunk_size") ? "chunked" : has("use_sliding_window") ? "if-enabled" : "none",
    mayBeDense: true,
    // Squared ReLU has no gate beside it.
    matrices: [object["mlp_hidden_act"], object["hidden_act"]].includes("relu2") ? 2 : 3,
    expertWidthKey:
      has("moe_intermediate_size") || !has(...aliases.experts) ? "moe_intermediate_size" : "intermediate_size",
  };
}
