import type { Json } from "../../core/json.ts";
import type { ConfigReader } from "../config-reader.ts";
import { type Activations, float4Layout, integerLayout, type Layout, usual } from "./layout.ts";
import { ModulePatterns } from "./patterns.ts";
import { readExcluded, readGroup } from "./read-parts.ts";
import { products, type QuantisationTool } from "./tool.ts";
import { refuseUnknown } from "./unknown-keys.ts";

/** Arguments of a tensor that change neither its bytes nor the arithmetic. */
const tensorHarmless =
  /^(?:is_dynamic|qscheme|ch_axis|symmetric|round_method|scale_type|scale_format|scale_calculation_mode|observer_cls|zero_point_type|is_scale_quant|mx_element_dtype|scale_dtype|is_mse)$/;

function activationsOf(config: ConfigReader): Activations {
  const inputs = config.nested("input_tensors");
  if (inputs === null) return "a16";
  const type = inputs.text(["dtype"]);
  for (const key of ["group_size"]) inputs.raw(key);
  refuseUnknown(inputs, tensorHarmless);
  if (type === "fp8_e4m3" || type === "fp8_e5m2") return "fp8";
  if (type === "int8") return "int8";
  if (type === "fp4" || type === "mx") return "fp4";
  if (type === null || /^(?:bfloat16|float16|float32)$/.test(type)) return "a16";
  inputs.problem("dtype", "fp8_e4m3, int8, fp4 or a 16-bit float", type);
  return "a16";
}

/** The tensor that is stored: weights quantised in two stages list the narrower one last. */
function storedWeight(config: ConfigReader): ConfigReader | null {
  const weight: Json | undefined = config.raw("weight");
  return Array.isArray(weight) ? (config.nestedItems("weight").at(-1) ?? null) : config.nested("weight");
}

/** Layout of the weights of one configuration of layers; null: 16 bits. */
function layoutOf(config: ConfigReader): Layout | null {
  const activations = activationsOf(config);
  const weight = storedWeight(config);
  for (const key of ["output_tensors", "bias"]) config.raw(key);
  refuseUnknown(config, /^target_device$/);
  if (weight === null) return null;
  const type = weight.text(["dtype"]) ?? "";
  const group = weight.raw("group_size") === undefined ? null : readGroup(weight, ["group_size"], null);
  const zeros = weight.raw("symmetric") === false;
  refuseUnknown(weight, tensorHarmless);
  if (/^(?:bfloat16|float16|float32)$/.test(type)) return null;
  const integer = /^u?int([2-8])$/.exec(type);
  let layout: Layout | null = null;
  if (integer !== null) {
    const bits = Number(integer[1]);
    layout = integerLayout({ bits, group, activations, bitsPerGroup: 16 + (zeros ? bits : 0) });
  } else if (type === "fp8_e4m3" || type === "fp8_e5m2") layout = usual(activations === "a16" ? "fp8_a16" : "fp8");
  else if ((type === "fp4" || type === "mx") && (group === 16 || group === 32))
    layout = float4Layout(group === 16 ? "nvfp4" : "mxfp4", activations);
  if (layout === null)
    weight.problem("dtype", "fp8_e4m3, int8, int4, or fp4 in groups of 16 or 32", type === "" ? undefined : type);
  return layout;
}

/** AMD Quark: one configuration for all layers, others by pattern. */
export const quark: QuantisationTool = {
  methods: ["quark"],
  read: (config) => {
    const global = config.nested("global_quant_config");
    if (global === null) config.problem("global_quant_config", "how layers are quantised");
    const layout = global === null ? null : layoutOf(global);
    const layers = config.nested("layer_quant_config");
    const named = (layers?.keys() ?? []).map((text) => {
      const layer = layers?.nested(text) ?? null;
      return { text, syntax: "name", value: layer === null ? null : layoutOf(layer) } as const;
    });
    const patterns = new ModulePatterns<Layout | null>(named);
    for (const text of patterns.broken) config.problem("layer_quant_config", "patterns that moecast can read", text);
    const excluded = readExcluded([config], ["exclude"]);
    const kv = quarkCache(config);
    const types = config.nested("layer_type_quant_config");
    if (types !== null && types.keys().length > 0)
      config.problem("layer_type_quant_config", "nothing: use layer_quant_config", types.keys()[0]);
    refuseUnknown(
      config,
      /^(?:algo_config|export|export_config|quant_mode|pack_method|custom_mode|softmax_quant_spec|eager_mode|log_severity_level)$/,
    );
    return { layout, classes: products, excluded, named: patterns, kv };
  },
};

/** The cache is stored in fp8 where projections of keys and values have an output format. */
function quarkCache(config: ConfigReader): "fp8" | null {
  const group = config.raw("kv_cache_group");
  const inner = config.nested("export")?.raw("kv_cache_group");
  const caches = config.nested("kv_cache_quant_config");
  const some = [group, inner].some((list) => Array.isArray(list) && list.length > 0);
  return some || (caches !== null && caches.keys().length > 0) ? "fp8" : null;
}
