import { type Layout, usual } from "./layout.ts";
import { readExcluded } from "./read-parts.ts";
import { products, type QuantisationTool } from "./tool.ts";
import { refuseUnknown } from "./unknown-keys.ts";

/** SGLang's names: 8 bits of weights and activations, with a scale a channel, or in blocks of 128 x 128. */
const layouts: Readonly<Record<string, Layout>> = {
  w8a8_int8: usual("int8"),
  w8a8_fp8: usual("fp8"),
  blockwise_int8: { format: "int8", bitsPerValue: usual("fp8_block").bitsPerValue },
};

export const w8a8: QuantisationTool = {
  methods: Object.keys(layouts),
  read: (config) => {
    const method = config.text(["quant_method"]) ?? "";
    const block = config.raw("weight_block_size");
    if (method === "blockwise_int8" && JSON.stringify(block) !== "[128,128]")
      config.problem("weight_block_size", "[128, 128]", block);
    const excluded = readExcluded([config], ["modules_to_not_convert", "ignored_layers", "ignore"]);
    refuseUnknown(config, /^(?:activation_scheme|is_dynamic|fmt)$/);
    return { layout: layouts[method] ?? null, classes: products, excluded, kv: null };
  },
};
