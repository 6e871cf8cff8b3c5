import type { StorageFormat } from "../core/dtype.ts";
import { own } from "../core/own.ts";
import { aliases } from "./aliases.ts";
import type { ConfigReader } from "./config-reader.ts";
import { classStorage } from "./quantisation/class-storage.ts";
import { usual } from "./quantisation/layout.ts";
import { modulesOf } from "./quantisation/modules.ts";
import { ModulePatterns } from "./quantisation/patterns.ts";
import { readExcluded } from "./quantisation/read-parts.ts";
import { readScheme } from "./quantisation/read-scheme.ts";
import type { Scheme } from "./quantisation/tool.ts";
import { refuseQuantisationKeys } from "./quantisation/unknown-keys.ts";
import { type ModelSpec, tensorClasses, type WeightStorage } from "./spec.ts";

/** How the weights and the KV cache of a model are stored. */
interface ModelStorage extends WeightStorage {
  readonly kvFormat: StorageFormat;
}

const dtypes: Readonly<Record<string, StorageFormat>> = {
  bfloat16: "bf16",
  float16: "fp16",
  float32: "fp32",
};

/** Modules that a tool may name and whose weights are no matrices of the language model, or tiny. */
const besideThePoint =
  /norm|bias|vision|visual|image|audio|speech|mtp|projector|mm_|conv|rotary|shared_head|eh_proj|indexer|router|\bgate$|gate\.|embed|_gate$|in_proj_(?:a|b|ba)$|[ab]_proj$|compressor|lm_head|^head$|score|talker|code2wav|linear_fc|patch/;

/**
 * Storage format of each tensor class, with its bits per value where modules are not in the usual layout of one format.
 * `levels` are the objects of config.json that hold the language model, the innermost first.
 */
export function modelStorage(
  levels: readonly [ConfigReader, ...ConfigReader[]],
  quantConfig: ConfigReader | null,
  shape: Pick<ModelSpec, "layers" | "hiddenSize" | "vocabSize" | "tiedEmbeddings">,
): ModelStorage {
  const [model] = levels;
  const base = readDtype(levels);
  const found = readScheme(levels, quantConfig);
  const scheme = withDisabled(model, withExpertType(model, found?.scheme ?? null));
  const storage = scheme === null ? plainStorage(base) : schemeStorage(model, scheme, base, shape);
  for (const level of levels) refuseQuantisationKeys(level);
  const key = found?.key ?? "expert_dtype";
  for (const [name, format] of Object.entries(storage.formats)) {
    const bits = storage.weightBits?.[name as keyof typeof storage.formats];
    model.record(`formats.${name}`, format === base && bits === undefined ? "dtype" : key, format);
    if (bits !== undefined) model.record(`weightBits.${name}`, key, bits);
  }
  const kvFormat = scheme?.kv ?? (base === "fp32" ? "bf16" : base);
  model.record("kvFormat", scheme?.kv ? "kv_cache_quant_algo ?? kv_cache_scheme" : "dtype (fp32: bf16)", kvFormat);
  return { ...storage, kvFormat };
}

/** Modules that LongCat-Flash leaves out of its quantisation, beside what the quantiser says. */
function withDisabled(model: ConfigReader, scheme: Scheme | null): Scheme | null {
  const disabled = readExcluded([model], ["disable_quant_module"]);
  return scheme === null ? null : { ...scheme, excluded: disabled.and(scheme.excluded ?? emptyPatterns) };
}

const emptyPatterns = new ModulePatterns<true>([]);

/** The most tries of patterns on modules: a few seconds. */
const triesMax = 2_000_000;

function plainStorage(base: StorageFormat): WeightStorage {
  return { formats: Object.fromEntries(tensorClasses.map((name) => [name, base])) as WeightStorage["formats"] };
}

function schemeStorage(
  model: ConfigReader,
  scheme: Scheme,
  base: StorageFormat,
  shape: Pick<ModelSpec, "layers" | "hiddenSize" | "vocabSize" | "tiedEmbeddings">,
): WeightStorage {
  const lists = [scheme.excluded, scheme.named, scheme.only].filter((list) => list != null);
  const modules = modulesOf(
    shape,
    lists.some((list) => list.tellsExpertsApart),
  );
  const tries = lists.reduce((sum, list) => sum + list.generalPatterns, 0) * modules.length;
  if (tries > triesMax) {
    model.problem("quantization_config", "fewer wildcards and expressions, or such that name a layer", tries);
    return plainStorage(base);
  }
  const storage = classStorage(modules, scheme, base, model);
  const strange = lists.flatMap((list) => list.unused()).filter((text) => !isBeside(text, shape.layers.length));
  if (strange.length > 0)
    model.assume(
      `the quantisation names modules that the language model has not, or by names that moecast does not know; they count for nothing: ${strange.slice(0, 5).join(", ")}${strange.length > 5 ? ` and ${strange.length - 5} more` : ""}`,
    );
  return storage;
}

/** Whether a pattern that means no matrix of the layers was to be expected: other parts, or layers behind the last one. */
function isBeside(text: string, layers: number): boolean {
  const layer = /layers\\?\.(\d+)/.exec(text)?.[1];
  return besideThePoint.test(text) || (layer !== undefined && Number(layer) >= layers);
}

/** DeepSeek-V4 states the format of its experts apart. A quantisation that stored them anew goes before it. */
function withExpertType(model: ConfigReader, scheme: Scheme | null): Scheme | null {
  const type = model.text(["expert_dtype"]);
  if (type === null) return scheme;
  if (type !== "fp4" && type !== "fp8") model.problem("expert_dtype", "fp4 or fp8", type);
  const layout = usual(type === "fp8" ? "fp8_block" : "mxfp4");
  if (scheme === null) return { layout, classes: new Set(["experts"]), kv: null };
  if (type === "fp8" && scheme.layout?.format.startsWith("fp8")) return scheme;
  return { ...scheme, byClass: { ...scheme.byClass, experts: layout } };
}

function readDtype(levels: readonly [ConfigReader, ...ConfigReader[]]): StorageFormat {
  const [model] = levels;
  const name = levels.map((level) => level.text(aliases.dtype)).find((text) => text !== null) ?? null;
  if (name === null) {
    model.assume("bf16 weights, as no dtype is given");
    return "bf16";
  }
  const format = own(dtypes, name.replace(/^torch\./, ""));
  if (format === undefined) model.problem("dtype", `one of ${Object.keys(dtypes).join(", ")}`, name);
  if (format !== "fp32") return format ?? "bf16";
  model.assume("float32 weights are loaded as bf16, as engines do; model.dtypes keeps them at fp32");
  return "bf16";
}
