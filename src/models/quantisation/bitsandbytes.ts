import { type Layout, usual } from "./layout.ts";
import { readExcluded, readFlag } from "./read-parts.ts";
import { products, type QuantisationTool } from "./tool.ts";
import { refuseUnknown } from "./unknown-keys.ts";

/** Values of a block in 4 bits, and blocks whose scales share a second one (bitsandbytes' defaults, which files do not state). */
const blockValues = 64;
const scalesPerBlock = 256;

/**
 * bitsandbytes: 4-bit codes (nf4 or fp4) with a scale per 64 values, in fp32 or, quantised again, in 8 bits with an fp32
 * scale per 256 of them; or LLM.int8().
 */
export const bitsAndBytes: QuantisationTool = {
  methods: ["bitsandbytes"],
  read: (config) => {
    const four = readFlag(config, "load_in_4bit", readFlag(config, "_load_in_4bit", false));
    const eight = readFlag(config, "load_in_8bit", readFlag(config, "_load_in_8bit", false));
    if (four === eight) config.problem("load_in_4bit", "load_in_4bit or load_in_8bit, one of them true", four);
    const type = config.text(["bnb_4bit_quant_type"]);
    if (type !== null && type !== "nf4" && type !== "fp4") config.problem("bnb_4bit_quant_type", "nf4 or fp4", type);
    const twice = readFlag(config, "bnb_4bit_use_double_quant", false);
    const bitsPerValue = 4 + (twice ? 8 / blockValues + 32 / (blockValues * scalesPerBlock) : 32 / blockValues);
    const layout: Layout = four ? { format: "nf4", bitsPerValue } : usual("int8");
    if (!four) config.assume("outliers that LLM.int8() multiplies in 16 bits count as int8");
    const excluded = readExcluded([config], ["llm_int8_skip_modules"]);
    refuseUnknown(
      config,
      /^(?:bnb_4bit_compute_dtype|bnb_4bit_quant_storage|llm_int8_threshold|llm_int8_enable_fp32_cpu_offload|llm_int8_has_fp16_weight|bnb_4bit_quant_type)$/,
    );
    return { layout, classes: products, excluded, kv: null };
  },
};
