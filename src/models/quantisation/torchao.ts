import { own } from "../../core/own.ts";
import type { ConfigReader } from "../config-reader.ts";
import { integerLayout, type Layout, usual } from "./layout.ts";
import { ModulePatterns } from "./patterns.ts";
import { readExcluded, readGroup } from "./read-parts.ts";
import { products, type QuantisationTool } from "./tool.ts";
import { refuseUnknown } from "./unknown-keys.ts";

/** Weight-only int4 groups hold a 16-bit scale and a 16-bit zero point. */
const int4 = (activations: "a16" | "fp8", byDefault: number, bitsPerGroup: number) => (data: ConfigReader) =>
  integerLayout({ bits: 4, group: readGroup(data, ["group_size"], byDefault), activations, bitsPerGroup });
const plain = (layout: Layout) => (): Layout => layout;

/** Configurations by class, and by the older names of functions. */
const kinds: Readonly<Record<string, (data: ConfigReader) => Layout | null>> = {
  Int4WeightOnlyConfig: int4("a16", 128, 32),
  int4_weight_only: int4("a16", 128, 32),
  Float8DynamicActivationInt4WeightConfig: int4("fp8", 128, 16),
  Int8DynamicActivationInt4WeightConfig: (data) =>
    integerLayout({ bits: 4, group: readGroup(data, ["group_size"], 32), activations: "int8", bitsPerGroup: 32 }),
  int8_dynamic_activation_int4_weight: (data) =>
    integerLayout({ bits: 4, group: readGroup(data, ["group_size"], 32), activations: "int8", bitsPerGroup: 32 }),
  Int8WeightOnlyConfig: plain({ format: "int8_a16", bitsPerValue: 8 }),
  int8_weight_only: plain({ format: "int8_a16", bitsPerValue: 8 }),
  Int8DynamicActivationInt8WeightConfig: plain(usual("int8")),
  int8_dynamic_activation_int8_weight: plain(usual("int8")),
  Float8WeightOnlyConfig: plain(usual("fp8_a16")),
  float8_weight_only: plain(usual("fp8_a16")),
  Float8DynamicActivationFloat8WeightConfig: plain(usual("fp8")),
  float8_dynamic_activation_float8_weight: plain(usual("fp8")),
};

const dataHarmless =
  /^(?:layout|use_hqq|zero_point_domain|set_inductor_config|preserve_zero|int4_packing_format|int4_choose_qparams_algorithm|packing_format|granularity|mm_config|activation_.*|kernel_preference|mapping_type|act_mapping_type|weight_only_decode|version|set_.*|weight_dtype|scale_dtype|_.*)$/;

/** Layout of one configuration object, `_type` and `_data`; null for nothing. */
function layoutOf(config: ConfigReader): Layout | null {
  const type = config.text(["_type"]);
  const data = config.nested("_data");
  const read = type === null ? undefined : own(kinds, type);
  if (read === undefined) {
    config.problem(
      "_type",
      `one of ${Object.keys(kinds)
        .filter((kind) => kind.endsWith("Config"))
        .join(", ")}`,
      type ?? undefined,
    );
    return null;
  }
  const layout = read(data ?? config);
  if (data !== null) refuseUnknown(data, dataHarmless);
  refuseUnknown(config, /^_version$/);
  return layout;
}

/** PyTorch's torchao: one configuration for all products, or one for each named module. */
export const torchAo: QuantisationTool = {
  methods: ["torchao"],
  read: (config) => {
    const excluded = readExcluded([config], ["modules_to_not_convert"]);
    if (config.raw("include_input_output_embeddings") === true)
      config.problem("include_input_output_embeddings", "false", true);
    const type = config.raw("quant_type");
    const harmless = /^(?:untie_embedding_weights|quant_type_kwargs)$/;
    if (typeof type === "string") {
      const read = own(kinds, type);
      if (read === undefined) config.problem("quant_type", `one of ${Object.keys(kinds).join(", ")}`, type);
      const data = config.nested("quant_type_kwargs");
      const layout = read === undefined ? null : read(data ?? config);
      if (data !== null) refuseUnknown(data, dataHarmless);
      refuseUnknown(config, harmless);
      return { layout, classes: products, excluded, kv: null };
    }
    const byDefault = config.nested("quant_type")?.nested("default") ?? null;
    if (byDefault === null) config.problem("quant_type", "a configuration under default");
    const modules =
      byDefault?.nested("_data")?.nested("module_fqn_to_config") ??
      byDefault?.nested("_data")?.nested("fqn_to_config") ??
      null;
    refuseUnknown(config, harmless);
    if (byDefault === null || modules === null)
      return { layout: byDefault === null ? null : layoutOf(byDefault), classes: products, excluded, kv: null };
    let layout: Layout | null = null;
    const named = modules.keys().flatMap((text) => {
      const module = modules.nested(text);
      const value = module === null ? null : layoutOf(module);
      if (text === "_default") {
        layout = value;
        return [];
      }
      return [{ text, syntax: "name", value } as const];
    });
    return { layout, classes: products, excluded, named: new ModulePatterns<Layout | null>(named), kv: null };
  },
};
