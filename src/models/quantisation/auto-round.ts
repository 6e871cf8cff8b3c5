import type { Json } from "../../core/json.ts";
import type { ConfigReader } from "../config-reader.ts";
import { type Activations, float4Layout, integerLayout, type Layout, usual } from "./layout.ts";
import { ModulePatterns } from "./patterns.ts";
import { readExcluded, readGroup, readWhole } from "./read-parts.ts";
import { products, type QuantisationTool } from "./tool.ts";
import { refuseUnknown } from "./unknown-keys.ts";

/** Keys that a module may have of its own, as read so far. */
interface Shape {
  readonly bits: number;
  readonly group: number | null;
  readonly type: string;
  readonly activationBits: number;
}

const shapeHarmless =
  /^(?:sym|scale_dtype|act_dynamic|act_sym|act_group_size|act_data_type|super_bits|super_group_size)$/;

function readShape(config: ConfigReader, base: Shape | null): Shape {
  return {
    bits: readWhole(config, ["bits"], 1, 32) ?? base?.bits ?? 4,
    group: readGroup(config, ["group_size"], base?.group ?? 128),
    type: config.text(["data_type"]) ?? base?.type ?? "int",
    activationBits: readWhole(config, ["act_bits"], 1, 32) ?? base?.activationBits ?? 16,
  };
}

/** null: 16 bits, as the model has it. Integers have a packed zero point per group, symmetric ones too. */
function layoutOf(config: ConfigReader, { bits, group, type, activationBits }: Shape): Layout | null {
  if (bits >= 16) return null;
  for (const key of ["super_bits", "super_group_size"])
    if (config.raw(key) !== undefined)
      config.problem(key, "nothing: scales of scales are not known here", config.raw(key));
  const integer = type.startsWith("int");
  const activations: Activations =
    activationBits >= 16 ? "a16" : activationBits === 8 ? (integer ? "int8" : "fp8") : "fp4";
  const layout = integer
    ? integerLayout({ bits, group, activations, bitsPerGroup: 16 + bits })
    : type.startsWith("mx_fp")
      ? bits === 8
        ? usual("mxfp8")
        : bits === 4
          ? float4Layout("mxfp4", activations)
          : null
      : type.startsWith("nv_fp") && bits === 4
        ? float4Layout("nvfp4", activations)
        : type.startsWith("fp") && bits === 8
          ? usual(activations === "a16" ? "fp8_a16" : "fp8")
          : null;
  if (layout === null)
    config.problem("bits", "int of 2 to 8 bits, mx_fp of 4 or 8, nv_fp of 4 or fp of 8", `${type} ${bits}`);
  return layout;
}

/** Intel's AutoRound. */
export const autoRound: QuantisationTool = {
  methods: ["auto-round", "auto_round", "intel/auto-round", "inc"],
  read: (config) => {
    const base = readShape(config, null);
    const layout = layoutOf(config, base);
    const extra = config.nested("extra_config");
    const named = (extra?.keys() ?? []).map((text) => {
      const module = extra?.nested(text) ?? null;
      const value = module === null ? null : layoutOf(module, readShape(module, base));
      if (module !== null) refuseUnknown(module, shapeHarmless);
      return { text, syntax: /[\\^$|()[\]+]|\.\*/.test(text) ? "expression" : "name", value } as const;
    });
    const patterns = new ModulePatterns<Layout | null>(named);
    for (const text of patterns.broken) config.problem("extra_config", "patterns that moecast can read", text);
    const excluded = readExcluded([config], ["modules_to_not_convert", "ignore_layers"]);
    const blocks = onlyBlocks(config);
    refuseUnknown(
      config,
      /^(?:sym|packing_format|backend|enable_.*|scale_dtype|act_dynamic|act_sym|act_group_size|act_data_type|autoround_version|not_use_best_mse|damp_percent|desc_act|true_sequential|quant_lm_head|supported_types|static_.*)$/,
    );
    return {
      layout,
      classes: products,
      excluded,
      named: patterns,
      kv: null,
      ...(blocks === null ? {} : { only: blocks }),
    };
  },
};

/** The blocks of layers that alone are quantised: names between commas, or in lists. */
function onlyBlocks(config: ConfigReader): ModulePatterns<true> | null {
  const found = config.first(["block_name_to_quantize", "to_quant_block_names"]);
  if (found === null) return null;
  const items = Array.isArray(found.value) ? (found.value as readonly Json[]).flat() : [found.value];
  const texts = items.flatMap((item) => (typeof item === "string" ? item.split(",") : []));
  if (texts.length < items.length || texts.length === 0) config.problem(found.key, "names of blocks", found.value);
  return new ModulePatterns(texts.map((text) => ({ text: text.trim(), syntax: "name", value: true }) as const));
}
