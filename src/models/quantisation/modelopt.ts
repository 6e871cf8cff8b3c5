import { own } from "../../core/own.ts";
import type { ConfigReader } from "../config-reader.ts";
import { integerLayout, type Layout, usual } from "./layout.ts";
import { ModulePatterns } from "./patterns.ts";
import { readExcluded, readGroup, readKvFormat } from "./read-parts.ts";
import { products, type QuantisationTool, type Scheme } from "./tool.ts";
import { refuseUnknown } from "./unknown-keys.ts";

/** Integers in groups of 128 unless the file says otherwise, with a 16-bit scale each. */
const integers = (activations: "a16" | "fp8") => (config: ConfigReader) =>
  integerLayout({ bits: 4, group: readGroup(config, ["group_size"], 128), activations, bitsPerGroup: 16 });

/** Block-scaled formats have one group size. */
const blocks = (layout: Layout, size: number) => (config: ConfigReader) => {
  const given = config.raw("group_size");
  if (given !== undefined && given !== size) config.problem("group_size", String(size), given);
  return layout;
};
const plain = (layout: Layout) => () => layout;

/** Names that NVIDIA ModelOpt gives its algorithms. */
const algorithms: Readonly<Record<string, (config: ConfigReader) => Layout | null>> = {
  FP8: plain(usual("fp8")),
  FP8_PB_WO: plain(usual("fp8_block")),
  FP8_PER_CHANNEL_PER_TOKEN: plain(usual("fp8")),
  MXFP8: blocks(usual("mxfp8"), 32),
  NVFP4: blocks(usual("nvfp4"), 16),
  NVFP4_AWQ: blocks(usual("nvfp4"), 16),
  W4A16_NVFP4: blocks(usual("nvfp4_a16"), 16),
  W4A8_NVFP4_FP8: blocks(usual("nvfp4_fp8"), 16),
  W4A8_MXFP4_FP8: blocks(usual("mxfp4"), 32),
  INT8_SQ: plain(usual("int8")),
  W4A16_AWQ: integers("a16"),
  W4A8_AWQ: integers("fp8"),
};

const exclusionKeys = ["exclude_modules", "ignore", "modules_to_not_convert", "ignored_layers"];
/** What repeats in the words of other tools what `quant_algo` says. */
const repeated = ["config_groups", "moe_quant_algo", "group_size", "has_zero_point", "pre_quant_scale"];

function namedLayout(config: ConfigReader, algorithm: string): Layout | null {
  const layout = own(algorithms, algorithm);
  if (layout !== undefined) return layout(config);
  config.problem("quant_algo", `one of ${Object.keys(algorithms).join(", ")}, MIXED_PRECISION`, algorithm);
  return null;
}

/** Layouts of a mixed configuration by module; null where the configuration is not mixed. */
export function mixedLayouts(config: ConfigReader): ModulePatterns<Layout | null> | null {
  if (config.text(["quant_algo"]) !== "MIXED_PRECISION") return null;
  for (const key of repeated) config.raw(key);
  const modules = config.nested("quantized_layers");
  if (modules === null) config.problem("quantized_layers", "the algorithm of each module");
  const named = (modules?.keys() ?? []).map((text) => {
    const module = modules?.nested(text) ?? null;
    const value = module === null ? null : namedLayout(module, module.text(["quant_algo"]) ?? "");
    if (module !== null) {
      for (const key of repeated) module.raw(key);
      refuseUnknown(module);
    }
    return { text, syntax: "name", value } as const;
  });
  return new ModulePatterns(named);
}

/** What `hf_quant_config.json` says, or a config.json with its words; `beside` has lists of its own. */
export function readModelOpt(config: ConfigReader, algorithm: string, beside: ConfigReader | null): Scheme {
  const named = mixedLayouts(config);
  const layout = named === null ? namedLayout(config, algorithm) : null;
  for (const key of repeated) config.raw(key);
  const kv = readKvFormat(config) ?? (beside === null ? null : readKvFormat(beside));
  const excluded = readExcluded(beside === null ? [config] : [config, beside], exclusionKeys);
  refuseUnknown(config, /^(?:activation_scheme|producer)$/);
  return { layout, classes: products, excluded, named, kv };
}

export const modelOpt: QuantisationTool = {
  methods: ["modelopt", "modelopt_fp4", "modelopt_mxfp8", "modelopt_mixed"],
  read: (config) => {
    const algorithm = config.text(["quant_algo"]);
    if (algorithm === null) config.problem("quant_algo", "the algorithm of ModelOpt");
    return readModelOpt(config, algorithm ?? "FP8", null);
  },
};
