import { fp8Harmless, fp8Layout } from "./fp8.ts";
import { integerLayout, usual } from "./layout.ts";
import { readExcluded, readGroup } from "./read-parts.ts";
import { products, type QuantisationTool } from "./tool.ts";
import { refuseUnknown } from "./unknown-keys.ts";

const exclusionKeys = ["modules_to_not_convert", "ignored_layers"];

/** MXFP4 of the routed experts alone (gpt-oss). */
export const mxfp4: QuantisationTool = {
  methods: ["mxfp4"],
  read: (config) => {
    const excluded = readExcluded([config], exclusionKeys);
    refuseUnknown(config, /^(?:dequantize|swizzle)$/);
    return { layout: usual("mxfp4"), classes: new Set(["experts"]), excluded, kv: null };
  },
};

export const mxfp8: QuantisationTool = {
  methods: ["mxfp8"],
  read: (config) => {
    const block = config.raw("weight_block_size");
    if (block !== undefined && JSON.stringify(block) !== "[1,32]")
      config.problem("weight_block_size", "[1, 32]", block);
    const excluded = readExcluded([config], exclusionKeys);
    refuseUnknown(config, fp8Harmless);
    return { layout: usual("mxfp8"), classes: products, excluded, kv: null };
  },
};

/** Routed experts in 4-bit integers with fp8 activations, the rest in fp8 (SGLang). */
export const w4afp8: QuantisationTool = {
  methods: ["w4afp8"],
  read: (config) => {
    const group = readGroup(config, ["group_size", "weight_group_size"], 128);
    const experts = integerLayout({ bits: 4, group, activations: "fp8", bitsPerGroup: 16 });
    const excluded = readExcluded([config], exclusionKeys);
    const layout = fp8Layout(config);
    refuseUnknown(config, /^(?:activation_scheme|(?:moe|linear)_activation_scheme|fmt|scale_fmt)$/);
    return { layout, classes: products, excluded, kv: null, byClass: { experts } };
  },
};
