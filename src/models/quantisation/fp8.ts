import type { ConfigReader } from "../config-reader.ts";
import { type Layout, usual } from "./layout.ts";
import { mixedLayouts } from "./modelopt.ts";
import { readExcluded, readKvFormat } from "./read-parts.ts";
import { products, type QuantisationTool } from "./tool.ts";
import { refuseUnknown } from "./unknown-keys.ts";

const exclusionKeys = ["modules_to_not_convert", "ignored_layers"];
export const fp8Harmless =
  /^(?:activation_scheme|fmt|scale_fmt|is_checkpoint_fp8_serialized|activation_scale_ub|dequantize)$/;

/** Blocks of E4M3 with a scale each, or one scale a tensor or channel. */
export function fp8Layout(config: ConfigReader): Layout {
  const block = config.raw("weight_block_size");
  if (block === undefined) return usual("fp8");
  if (Array.isArray(block) && block.length === 2) {
    if (block.every((side) => side === 128)) return usual("fp8_block");
    if (block[0] === 1 && block[1] === 32) return usual("mxfp8");
  }
  config.problem("weight_block_size", "[128, 128], or [1, 32] for MXFP8", block);
  return usual("fp8_block");
}

/** FP8 as DeepSeek, Qwen and transformers write it; ModelOpt may have stored the experts anew in 4 bits (`moe_quant_algo`). */
export const fp8: QuantisationTool = {
  methods: ["fp8", "fbgemm_fp8"],
  read: (config) => {
    const layout = fp8Layout(config);
    const named = mixedLayouts(config);
    // The lists of ModelOpt say what it left as it was: in fp8.
    if (named !== null) readExcluded([config], ["ignore", "exclude_modules"]);
    const excluded = readExcluded([config], exclusionKeys);
    const kv = readKvFormat(config);
    refuseUnknown(config, fp8Harmless);
    return { layout, classes: products, excluded, named, kv };
  },
};
