import type { StorageFormat } from "../core/dtype.ts";
import { own } from "../core/own.ts";
import type { ConfigReader } from "./config-reader.ts";
import { classOfModule, type QuantisedClass } from "./quantised-modules.ts";

/** One quantisation configuration, whichever tool wrote it. */
interface Scheme {
  readonly formats: Readonly<Partial<Record<QuantisedClass, StorageFormat>>>;
  /** Modules left in the base format, in the pattern language of the tool. */
  readonly excluded: readonly string[];
  readonly kv: StorageFormat | null;
}

/** Names that NVIDIA ModelOpt gives its algorithms. */
const algorithms: Readonly<Record<string, StorageFormat>> = {
  FP8: "fp8",
  FP8_PB_WO: "fp8_block",
  NVFP4: "nvfp4",
  W4A16_NVFP4: "nvfp4",
  W4A8_NVFP4_FP8: "nvfp4",
  INT8_SQ: "int8",
  W4A16_AWQ: "int4",
  W4A8_AWQ: "int4",
};

const listKeys = ["modules_to_not_convert", "ignored_layers", "ignore", "exclude_modules"];

function everywhere(format: StorageFormat): Scheme["formats"] {
  return { attention: format, dense: format, shared: format, experts: format };
}

/** The scheme of `hf_quant_config.json` where there is one, else of `quantization_config`; null for plain weights. */
export function readScheme(
  config: ConfigReader | null,
  quantConfig: ConfigReader | null,
  model: ConfigReader,
): Scheme | null {
  const modelOpt = quantConfig?.nested("quantization") ?? null;
  const source = modelOpt ?? config;
  if (source === null) return null;
  const algorithm = source.text(["quant_algo"]);
  const kv = readKvFormat(source) ?? (config === null ? null : readKvFormat(config));
  const excluded = [...readExcluded(source), ...(config === null || config === source ? [] : readExcluded(config))];
  if (algorithm !== null) return { formats: modelOptFormats(source, algorithm), excluded, kv };

  const method = source.text(["quant_method"]);
  return { formats: methodFormats(source, method, model), excluded, kv };
}

function methodFormats(source: ConfigReader, method: string | null, model: ConfigReader): Scheme["formats"] {
  switch (method) {
    case "fp8":
    case "fbgemm_fp8":
      return everywhere(isBlock(source) ? "fp8_block" : "fp8");
    case "mxfp4":
      return { experts: "mxfp4" };
    case "compressed-tensors":
      return everywhere(groupFormat(source, model));
    case "awq":
    case "gptq": {
      const bits = source.count("formats.bits", ["bits", "w_bit"], { max: 16 });
      if (bits !== 4 && bits !== 8) source.problem("bits", "4 or 8", bits);
      return everywhere(bits === 8 ? "int8" : "int4");
    }
    default:
      source.problem(
        "quant_method",
        "fp8, mxfp4, compressed-tensors, modelopt with quant_algo, awq or gptq",
        method ?? undefined,
      );
      return {};
  }
}

/** Formats of a ModelOpt algorithm; a mixed one lists its modules, of which a class takes the first. */
function modelOptFormats(source: ConfigReader, algorithm: string): Scheme["formats"] {
  if (algorithm !== "MIXED_PRECISION") return everywhere(namedFormat(source, algorithm));
  const modules = source.nested("quantized_layers");
  if (modules === null) source.problem("quantized_layers", "the algorithm of each module");
  const formats: Partial<Record<QuantisedClass, StorageFormat>> = {};
  for (const name of modules?.keys() ?? []) {
    const tensorClass = classOfModule(name);
    if (tensorClass === null) modules?.problem(name, "a module of attention, experts or head");
    else if (formats[tensorClass] === undefined) {
      const module = modules?.nested(name);
      formats[tensorClass] = module ? namedFormat(module, module.text(["quant_algo"]) ?? "") : "bf16";
    }
  }
  return formats;
}

function namedFormat(source: ConfigReader, algorithm: string): StorageFormat {
  const format = own(algorithms, algorithm);
  if (format === undefined) source.problem("quant_algo", `one of ${Object.keys(algorithms).join(", ")}`, algorithm);
  return format ?? "bf16";
}

function isBlock(source: ConfigReader): boolean {
  const block = source.raw("weight_block_size");
  if (block === undefined) return false;
  const usual = Array.isArray(block) && block.length === 2 && block.every((side) => side === 128);
  if (!usual) source.problem("weight_block_size", "[128, 128]", block);
  return true;
}

/** Format of the weights of the first group of a compressed-tensors configuration. */
function groupFormat(source: ConfigReader, model: ConfigReader): StorageFormat {
  const groups = source.nested("config_groups");
  const weights = groups?.nested(groups.keys()[0] ?? "group_0")?.nested("weights") ?? null;
  if (weights === null) {
    source.problem("config_groups", "a group with weights");
    return "bf16";
  }
  const bits = weights.raw("num_bits");
  const type = weights.raw("type");
  const size = weights.raw("group_size");
  if (bits === 4 && type === "float") return size === 16 ? "nvfp4" : "mxfp4";
  if (bits === 8 && type === "float") return weights.raw("strategy") === "block" ? "fp8_block" : "fp8";
  if (bits === 8 && type === "int") return "int8";
  if (bits === 4 && type === "int") {
    if (size === 32) return "int4_g32";
    if (size !== 128) model.assume(`int4 scales are counted per 128 values; the file groups ${JSON.stringify(size)}`);
    return "int4";
  }
  weights.problem("num_bits", "4 or 8 bits of int or float", bits);
  return "bf16";
}

function readKvFormat(source: ConfigReader): StorageFormat | null {
  const named = source.text(["kv_cache_quant_algo"]);
  if (named === "FP8") return "fp8";
  if (named === "NVFP4") return "nvfp4";
  if (named !== null) source.problem("kv_cache_quant_algo", "FP8, NVFP4 or nothing", named);
  const scheme = source.nested("kv_cache_scheme");
  if (scheme === null) return null;
  if (scheme.raw("num_bits") === 8 && scheme.raw("type") === "float") return "fp8";
  scheme.problem("num_bits", "8 bits of float", scheme.raw("num_bits"));
  return null;
}

function readExcluded(source: ConfigReader): readonly string[] {
  return listKeys.flatMap((key) => {
    const value = source.raw(key);
    if (value === undefined) return [];
    if (Array.isArray(value)) return value.filter((item) => typeof item === "string");
    source.problem(key, "a list of module names", value);
    return [];
  });
}
