import { canonicalJson } from "../../core/json.ts";
import type { ConfigReader } from "../config-reader.ts";
import { readAscend } from "./ascend.ts";
import { fp8 } from "./fp8.ts";
import { isMlx, readMlx } from "./mlx.ts";
import { readModelOpt } from "./modelopt.ts";
import { readKvFormat } from "./read-parts.ts";
import type { Scheme } from "./tool.ts";
import { quantisationTools } from "./tools.ts";
import { refuseUnknown } from "./unknown-keys.ts";

/** Where tools write a quantisation in a config.json. */
const places = ["quantization_config", "compression_config", "quantization"];

/** A scheme and the key that it was read from. */
interface FoundScheme {
  readonly scheme: Scheme;
  readonly key: string;
}

/** The object that describes the quantisation: one, or the same twice, as MLX writes it. */
function readPlace(levels: readonly ConfigReader[]): { readonly config: ConfigReader; readonly key: string } | null {
  let found: { readonly config: ConfigReader; readonly key: string; readonly text: string } | null = null;
  for (const level of levels)
    for (const key of places) {
      const value = level.raw(key);
      if (value === undefined) continue;
      const text = canonicalJson(value);
      if (text === "{}") continue;
      if (found === null) {
        const config = level.nested(key);
        if (config !== null) found = { config, key, text };
      } else if (found.text !== text)
        level.problem(key, `what ${found.config.pathOf("").slice(0, -1)} says`, text.slice(0, 80));
    }
  return found;
}

/**
 * The quantisation of a model, from `hf_quant_config.json` where there is one, else from config.json, whose levels are
 * given from the innermost; null for plain weights.
 */
export function readScheme(levels: readonly ConfigReader[], quantConfig: ConfigReader | null): FoundScheme | null {
  const place = readPlace(levels);
  const config = place?.config ?? null;
  const ascend = levels.find((level) => level.raw("quantize") !== undefined);
  if (ascend !== undefined) {
    if (config !== null) ascend.problem("quantize", `nothing beside ${place?.key}`, ascend.raw("quantize"));
    return { scheme: readAscend(ascend), key: "quantize" };
  }
  const file = readQuantFile(quantConfig);
  const algorithm = config?.text(["quant_algo"]) ?? null;
  const method = config?.raw("quant_method");
  // ModelOpt stored the experts of an fp8 model anew.
  if (config !== null && method === "fp8" && algorithm === "MIXED_PRECISION") {
    const scheme = fp8.read(config);
    if (file !== null) readModelOpt(file.config, file.algorithm, null);
    return { scheme, key: "quantization_config" };
  }
  if (file !== null) return { scheme: readModelOpt(file.config, file.algorithm, config), key: "hf_quant_config" };
  if (config === null || place === null) return null;
  const { key } = place;
  if (algorithm !== null) return { scheme: readModelOpt(config, algorithm, null), key };
  if (isMlx(config)) return { scheme: readMlx(config), key };
  const tool = quantisationTools.find(({ methods }) => methods.some((name) => name === method));
  if (tool !== undefined) {
    const scheme = tool.read(config);
    return { scheme: scheme.kv === null ? { ...scheme, kv: readKvFormat(config) } : scheme, key };
  }
  const known = quantisationTools.map(({ methods }) => methods[0]);
  config.problem("quant_method", `one of ${known.join(", ")}, or MLX's bits and group_size`, method);
  return null;
}

/** `hf_quant_config.json`: its quantisation and the name of its algorithm. */
function readQuantFile(
  quantConfig: ConfigReader | null,
): { readonly config: ConfigReader; readonly algorithm: string } | null {
  if (quantConfig === null) return null;
  const config = quantConfig.nested("quantization");
  if (config === null) quantConfig.problem("quantization", "what ModelOpt did");
  refuseUnknown(quantConfig);
  if (config === null) return null;
  const algorithm = config.text(["quant_algo"]);
  if (algorithm === null) config.problem("quant_algo", "the algorithm of ModelOpt");
  return algorithm === null ? null : { config, algorithm };
}
