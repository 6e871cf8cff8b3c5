import type { Json } from "../../core/json.ts";
import type { ConfigReader } from "../config-reader.ts";
import { integerLayout, type Layout } from "./layout.ts";
import { ModulePatterns } from "./patterns.ts";
import { readExcluded, readFlag, readGroup, readWhole } from "./read-parts.ts";
import { products, productsAndHead, type QuantisationTool } from "./tool.ts";
import { refuseUnknown } from "./unknown-keys.ts";

const gptqBits = [2, 3, 4, 8];

/** Integers with a 16-bit scale and a packed zero point per group, which the files hold for symmetric weights too. */
function zeroPointLayout(config: ConfigReader, bits: number, group: number | null): Layout | null {
  const layout = gptqBits.includes(bits)
    ? integerLayout({ bits, group, activations: "a16", bitsPerGroup: 16 + bits })
    : null;
  if (layout === null) config.problem("bits", `one of ${gptqBits.join(", ")}`, bits);
  return layout;
}

/** What is done to modules that a regular expression names: `-:` leaves them, `+:` or nothing gives them keys of their own. */
function dynamicRules(config: ConfigReader, bits: number, group: number | null): ModulePatterns<Layout | null> | null {
  const rules = config.nested("dynamic");
  if (rules === null) return null;
  const patterns = rules.keys().map((key) => {
    const text = key.replace(/^[+-]:/, "");
    const rule = rules.nested(key);
    const syntax = "expression";
    if (key.startsWith("-:") || rule === null) return { text, syntax, value: null } as const;
    const ownBits = readWhole(rule, ["bits"], 1, 32) ?? bits;
    const value = zeroPointLayout(rule, ownBits, readGroup(rule, ["group_size"], group));
    refuseUnknown(rule, harmless);
    return { text, syntax, value } as const;
  });
  const compiled = new ModulePatterns<Layout | null>(patterns);
  for (const text of compiled.broken) config.problem("dynamic", "regular expressions that moecast can read", text);
  return compiled;
}

const harmless =
  /^(?:sym|true_sequential|static_groups|damp_.*|desc_act|checkpoint_format|pack_dtype|is_marlin_format|.*exllama.*|max_input_length|model_seqlen|block_name_to_quantize|cache_block_outputs|module_name_preceding_first_block|pad_token_id|use_cuda_fp16|quantizer|mse|act_group_aware|hyb_act|format|quant_dtype|backend|hessian|failsafe.*|fail_safe|offload_.*|rotation|v2|lm_head_low_gpu_mem_usage|parallel_packing|vram_strategy)$/;

export const gptq: QuantisationTool = {
  methods: ["gptq", "gptq_marlin"],
  read: (config) => {
    const bits = config.count("formats.bits", ["bits", "w_bit"], { max: 16 });
    const group = readGroup(config, ["group_size"], 128);
    const layout = zeroPointLayout(config, bits, group);
    const named = dynamicRules(config, bits, group);
    if (readFlag(config, "desc_act", false))
      config.assume("desc_act: the order of input channels, 4 bytes each, is not counted");
    const format = config.text(["checkpoint_format"]);
    if (format !== null && !/^(?:gptq|gptq_v2|marlin)$/.test(format))
      config.problem("checkpoint_format", "gptq, gptq_v2 or marlin", format);
    const blocks = config.raw("modules_in_block_to_quantize");
    const within = blocks === undefined ? null : onlyModules(config, blocks);
    const head = readFlag(config, "lm_head", false);
    const excluded = readExcluded([config], ["modules_to_not_convert"]);
    refuseUnknown(config, harmless);
    const only = within === null ? {} : { only: within };
    return { layout, classes: head ? productsAndHead : products, excluded, named, kv: null, ...only };
  },
};

/** The modules of a block that alone are quantised, given as groups that are quantised one after the other. */
function onlyModules(config: ConfigReader, blocks: Json): ModulePatterns<true> | null {
  const texts = Array.isArray(blocks) ? (blocks as readonly Json[]).flat() : [];
  if (texts.length > 0 && texts.every((text) => typeof text === "string"))
    return new ModulePatterns(texts.map((text) => ({ text: text as string, syntax: "name", value: true }) as const));
  config.problem("modules_in_block_to_quantize", "groups of module names");
  return null;
}
