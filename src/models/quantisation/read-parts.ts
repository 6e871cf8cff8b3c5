import type { StorageFormat } from "../../core/dtype.ts";
import type { ConfigReader } from "../config-reader.ts";
import { ModulePatterns } from "./patterns.ts";

/** A whole number of a quantisation, or null where it is absent. */
export function readWhole(config: ConfigReader, keys: readonly string[], min: number, max: number): number | null {
  const found = config.first(keys);
  if (found === null) return null;
  const { key, value } = found;
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= min && value <= max) return value;
  config.problem(key, `a whole number from ${min} to ${max}`, value);
  return null;
}

/** Values that share a scale; null where a whole channel does (-1). Absent: `byDefault`. */
export function readGroup(config: ConfigReader, keys: readonly string[], byDefault: number | null): number | null {
  const found = config.first(keys);
  if (found === null) return byDefault;
  if (found.value === -1) return null;
  return readWhole(config, [found.key], 1, 1_048_576) ?? byDefault;
}

export function readFlag(config: ConfigReader, key: string, byDefault: boolean): boolean {
  const value = config.raw(key);
  if (typeof value === "boolean") return value;
  if (value !== undefined) config.problem(key, "true or false", value);
  return byDefault;
}

/** Modules that lists of a configuration leave in the dtype of the model. */
export function readExcluded(configs: readonly ConfigReader[], keys: readonly string[]): ModulePatterns<true> {
  const texts = configs.flatMap((config) =>
    keys.flatMap((key): readonly string[] => {
      const value = config.raw(key);
      if (value === undefined) return [];
      if (Array.isArray(value) && value.every((item) => typeof item === "string")) return value as readonly string[];
      config.problem(key, "a list of module names", value);
      return [];
    }),
  );
  const patterns = new ModulePatterns(texts.map((text) => ({ text, syntax: "name", value: true }) as const));
  for (const text of patterns.broken) configs[0]?.problem(keys[0] ?? "", "patterns that moecast can read", text);
  return patterns;
}

const kvAlgorithms: Readonly<Record<string, StorageFormat | null>> = {
  FP8: "fp8",
  NVFP4: "nvfp4",
  INT8: "int8",
  NONE: null,
};

/** Format of the KV cache; null where nothing is said. */
export function readKvFormat(config: ConfigReader): StorageFormat | null {
  const named = config.text(["kv_cache_quant_algo"]);
  if (named !== null) {
    const format = Object.hasOwn(kvAlgorithms, named.toUpperCase()) ? kvAlgorithms[named.toUpperCase()] : undefined;
    if (format === undefined) config.problem("kv_cache_quant_algo", "FP8, NVFP4, INT8 or nothing", named);
    if (format !== undefined && format !== null) return format;
  }
  // AutoFP8 wrote a word.
  const word = config.raw("kv_cache_scheme");
  if (word === "static" || word === "dynamic") return "fp8";
  const scheme = config.nested("kv_cache_scheme");
  if (scheme === null) return null;
  for (const key of ["dynamic", "strategy", "symmetric", "group_size", "actorder", "block_structure"]) scheme.raw(key);
  if (scheme.raw("num_bits") === 8 && scheme.raw("type") === "float") return "fp8";
  if (scheme.raw("num_bits") === 8 && scheme.raw("type") === "int") return "int8";
  scheme.problem("num_bits", "8 bits of float or int", scheme.raw("num_bits"));
  return null;
}
