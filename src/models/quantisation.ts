import type { StorageFormat } from "../core/dtype.ts";
import { own } from "../core/own.ts";
import { aliases } from "./aliases.ts";
import type { ConfigReader } from "./config-reader.ts";
import { readScheme } from "./quantisation-scheme.ts";
import { classOfModule, excludedClasses, type QuantisedClass } from "./quantised-modules.ts";
import type { LayerSpec, TensorClass } from "./spec.ts";

interface Formats {
  readonly formats: Readonly<Record<TensorClass, StorageFormat>>;
  readonly kvFormat: StorageFormat;
}

const dtypes: Readonly<Record<string, StorageFormat>> = {
  bfloat16: "bf16",
  float16: "fp16",
  float32: "fp32",
};

/**
 * Storage format of each tensor class. Embedding, router and norms stay in the base dtype, as all the tools leave them;
 * other classes take the format that the quantisation gives them unless its exclusion list names them.
 */
export function tensorFormats(
  model: ConfigReader,
  outer: ConfigReader,
  quantConfig: ConfigReader | null,
  layers: readonly LayerSpec[],
): Formats {
  const base = readDtype(model, outer);
  const config = model.nested("quantization_config") ?? outer.nested("quantization_config");
  const scheme = readScheme(config, quantConfig, model);
  const formats: Record<TensorClass, StorageFormat> = {
    embedding: base,
    attention: base,
    dense: base,
    router: base,
    shared: base,
    experts: base,
    head: base,
    norm: base,
  };
  if (scheme !== null) {
    const { excluded, partly } = excludedClasses([...scheme.excluded, ...disabledModules(model)], layers);
    for (const [name, format] of Object.entries(scheme.formats)) {
      const tensorClass = name as QuantisedClass;
      if (!excluded.has(tensorClass)) formats[tensorClass] = format;
      if (partly.has(tensorClass))
        model.assume(`${tensorClass} is quantised in some layers only; all count as ${formats[tensorClass]}`);
    }
  }
  const expertFormat = model.text(["expert_dtype"]);
  if (expertFormat !== null && expertFormat !== "fp4") model.problem("expert_dtype", "fp4", expertFormat);
  if (expertFormat === "fp4" && formats.experts !== "nvfp4") formats.experts = "mxfp4";
  for (const [tensorClass, format] of Object.entries(formats))
    model.record(`formats.${tensorClass}`, format === base ? "dtype" : "quantization_config", format);
  const kvFormat = scheme?.kv ?? (base === "fp32" ? "bf16" : base);
  model.record("kvFormat", scheme?.kv ? "kv_cache_quant_algo ?? kv_cache_scheme" : "dtype (fp32: bf16)", kvFormat);
  return { formats, kvFormat };
}

/** Modules that LongCat-Flash leaves out of its quantisation, beside what the quantiser says. */
function disabledModules(model: ConfigReader): readonly string[] {
  const listed = model.raw("disable_quant_module") ?? [];
  if (Array.isArray(listed)) {
    const unknown = listed.findIndex((name) => typeof name !== "string" || classOfModule(name) === null);
    if (unknown >= 0) model.problem(`disable_quant_module[${unknown}]`, "a module such as self_attn", listed[unknown]);
    return listed.map(String);
  }
  model.problem("disable_quant_module", "a list of modules", listed);
  return [];
}

function readDtype(model: ConfigReader, outer: ConfigReader): StorageFormat {
  const name = model.text(aliases.dtype) ?? outer.text(aliases.dtype);
  if (name === null) {
    model.assume("bf16 weights, as no dtype is given");
    return "bf16";
  }
  const format = own(dtypes, name.replace(/^torch\./, ""));
  if (format === undefined) model.problem("dtype", `one of ${Object.keys(dtypes).join(", ")}`, name);
  return format ?? "bf16";
}
