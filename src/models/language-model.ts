import type { Json } from "../core/json.ts";
import { own } from "../core/own.ts";
import { nestingKeys } from "./aliases.ts";
import { ConfigReader, type Findings } from "./config-reader.ts";
import { families } from "./families.ts";
import { isObject, type JsonObject } from "./json-object.ts";

/** Model types of files that name only their class. */
const architectureTypes: Readonly<Record<string, string>> = {
  BailingMoeForCausalLM: "bailing_moe",
  BailingMoeV2ForCausalLM: "bailing_moe_v2",
  DeepseekForCausalLM: "deepseek",
  DeepseekV2ForCausalLM: "deepseek_v2",
  DeepseekV3ForCausalLM: "deepseek_v3",
  Grok1ForCausalLM: "grok_2",
  Grok1ModelForCausalLM: "grok_1",
  MiniCPMForCausalLM: "minicpm",
  PanguProMoEForCausalLM: "pangu_pro_moe",
  PanguProMoEV2ForCausalLM: "pangu_pro_moe_v2",
};

/** Model types that several classes write: the class decides. */
const ambiguousTypes: ReadonlySet<string> = new Set(["PanguProMoE", "bailing_moe", "git", "grok-1"]);

/** Other spellings of a type. */
const typeSynonyms: Readonly<Record<string, string>> = {
  PanguProMoE: "pangu_pro_moe",
  aria_moe_lm: "aria",
  dots_vlm: "deepseek_v3",
  grok: "grok_1",
  minimax_m3_vl: "minimax_m3",
};

/** Wrappers whose language model is of one type, whatever its object says. */
const wrapperTypes: ReadonlySet<string> = new Set(["minimax_m3_vl"]);

/** Types of the language models inside wrappers, where the wrapped object does not say its own. */
const nestedTypes: Readonly<Record<string, string>> = {
  DeepseekOCR: "deepseek_v2",
  deepseek_ocr: "deepseek_v2",
  deepseek_ocr2: "deepseek_v2",
  deepseek_vl_v2: "deepseek_v2",
  kimi_k25: "deepseek_v3",
  kimi_vl: "deepseek_v3",
  step3_vl: "step3",
};

/** Walks into the language model of a multimodal config; `holders` read the objects around it, the outermost first. */
export function descend(
  root: JsonObject,
  findings: Findings,
): { readonly object: JsonObject; readonly prefix: string; readonly holders: readonly ConfigReader[] } {
  let object = root;
  let prefix = "";
  const holders: ConfigReader[] = [];
  for (let depth = 0; depth < nestingKeys.length; depth += 1) {
    const key = nestingKeys.find((name) => isObject(object[name]));
    const inner = key === undefined ? undefined : object[key];
    if (key === undefined || !isObject(inner)) break;
    const holder = new ConfigReader(object, prefix, findings);
    holder.raw(key);
    holders.push(holder);
    prefix += `${key}.`;
    object = inner;
  }
  return { object, prefix, holders };
}

/** The type that a file gives its language model, `object`, inside `root`; undefined where it gives none. */
export function statedType(object: JsonObject, root: JsonObject): Json | undefined {
  const outer = root["model_type"];
  if (typeof outer === "string" && wrapperTypes.has(outer)) return outer;
  const nested = typeof outer === "string" ? own(nestedTypes, outer) : undefined;
  return typeOf(object) ?? nested ?? typeOf(root) ?? typeOfClass(root) ?? architectureOf(root);
}

/** The family that an object's class has the name of, such as qwen3_moe of Qwen3MoeForCausalLM. */
export function typeOfClass(object: JsonObject): string | undefined {
  const architecture = architectureOf(object);
  if (typeof architecture !== "string") return undefined;
  const name = bare(architecture.replace(/(?:For[A-Z]\w*|Model)$/, ""));
  return own(architectureTypes, architecture) ?? Object.keys(families).find((type) => bare(type) === name);
}

const bare = (name: string): string => name.toLowerCase().replaceAll("_", "");

/** The name of a type in the table of families: spellings are evened, the suffix of nested configs goes. */
export function familyName(type: string): string {
  const spelling = type.replace(/_text$/, "").replaceAll("-", "_");
  return own(typeSynonyms, spelling) ?? spelling;
}

/** What one object states: its class where several share a type, its type, or its class where it has none. */
function typeOf(object: JsonObject): Json | undefined {
  const architecture = architectureOf(object);
  const byClass = typeof architecture === "string" ? own(architectureTypes, architecture) : undefined;
  const type = object["model_type"];
  if (byClass !== undefined && typeof type === "string" && ambiguousTypes.has(type)) return byClass;
  return type ?? byClass;
}

function architectureOf(object: JsonObject): Json | undefined {
  return Array.isArray(object["architectures"]) ? object["architectures"][0] : undefined;
}
