import type { ConfigReader } from "../config-reader.ts";
import { type Activations, float4Layout, integerLayout, type Layout, usual } from "./layout.ts";
import { ModulePatterns } from "./patterns.ts";
import { readExcluded, readFlag, readKvFormat } from "./read-parts.ts";
import { products, productsAndHead, type QuantisationTool } from "./tool.ts";
import { refuseUnknown } from "./unknown-keys.ts";

/** Arguments of a tensor's quantisation that change neither its bytes nor the arithmetic. */
const harmless =
  /^(?:dynamic|strategy|symmetric|actorder|block_structure|group_size|type|num_bits|scale_dtype|zp_dtype)$/;
/** Classes of layers that stand for all products. */
const allProducts = new Set(["Linear", "FusedMoE", "LinearBase"]);

function activationsOf(group: ConfigReader): Activations {
  const inputs = group.nested("input_activations");
  if (inputs === null) return "a16";
  const bits = inputs.raw("num_bits");
  const type = inputs.raw("type");
  refuseUnknown(inputs, harmless);
  if (bits === 16) return "a16";
  if (bits === 8) return type === "int" ? "int8" : "fp8";
  if (bits === 4 && type === "float") return "fp4";
  inputs.problem("num_bits", "8 bits of int or float, 4 of float, or null activations", bits);
  return "a16";
}

/** Layout of a group of modules; null and a problem where moecast has no such format. */
function groupLayout(group: ConfigReader): Layout | null {
  const activations = activationsOf(group);
  const weights = group.nested("weights");
  if (weights === null) {
    group.problem("weights", "how the weights are stored");
    return null;
  }
  const bits = weights.raw("num_bits");
  const type = weights.raw("type");
  const strategy = weights.raw("strategy");
  const size = weights.raw("group_size");
  const blocks = weights.raw("block_structure");
  const groupSize = typeof size === "number" && Number.isSafeInteger(size) && size > 0 ? size : null;
  if (size !== undefined && size !== -1 && groupSize === null)
    weights.problem("group_size", "a whole number or -1", size);
  const zeros = !readFlag(weights, "symmetric", true);
  refuseUnknown(weights, harmless);
  let layout: Layout | null = null;
  if (type === "float" && bits === 4 && (groupSize === 16 || groupSize === 32))
    layout = float4Layout(groupSize === 16 ? "nvfp4" : "mxfp4", activations);
  else if (type === "float" && bits === 8) {
    if (strategy === "block" && blocks !== undefined && JSON.stringify(blocks) !== "[128,128]")
      weights.problem("block_structure", "[128, 128]", blocks);
    const scaled = strategy === "block" ? "fp8_block" : groupSize === 32 ? "mxfp8" : "fp8";
    layout = activations === "a16" && scaled === "fp8" ? usual("fp8_a16") : usual(scaled);
  } else if (type === "int" && typeof bits === "number") {
    layout = integerLayout({ bits, group: groupSize, activations, bitsPerGroup: 16 + (zeros ? bits : 0) });
  }
  if (layout === null)
    weights.problem("num_bits", "int of 2 to 8 bits, float of 8, or of 4 in groups of 16 or 32", bits);
  return layout;
}

/** compressed-tensors, as LLM Compressor writes it: groups of modules, each with its formats of weights and activations. */
export const compressedTensors: QuantisationTool = {
  methods: ["compressed-tensors", "compressed_tensors"],
  read: (config) => {
    const groups = config.nested("config_groups");
    if (groups === null || groups.keys().length === 0) config.problem("config_groups", "a group with weights");
    let everywhere: Layout | null = null;
    const named: { readonly text: string; readonly syntax: "name"; readonly value: Layout | null }[] = [];
    for (const key of groups?.keys() ?? []) {
      const group = groups?.nested(key) ?? null;
      if (group === null) continue;
      const layout = groupLayout(group);
      const targets = group.raw("targets") ?? ["Linear"];
      if (!Array.isArray(targets) || !targets.every((target) => typeof target === "string")) {
        group.problem("targets", "a list of modules", targets);
        continue;
      }
      for (const target of targets as readonly string[]) {
        if (!allProducts.has(target)) named.push({ text: target, syntax: "name", value: layout });
        else if (everywhere !== null) group.problem("targets", "one group for all products", target);
        else everywhere = layout;
      }
      for (const part of ["output_activations", "format"]) group.raw(part);
      refuseUnknown(group);
    }
    const patterns = new ModulePatterns<Layout | null>(named);
    for (const text of patterns.broken) config.problem("config_groups", "targets that moecast can read", text);
    const kv = readKvFormat(config);
    const ignored = config.raw("ignore");
    const excluded = readExcluded([config], ["ignore"]);
    const sparsity = config.nested("sparsity_config");
    if (sparsity !== null && sparsity.raw("format") !== "dense" && sparsity.keys().length > 0)
      sparsity.problem("format", "dense: sparse weights are not known", sparsity.raw("format"));
    refuseUnknown(config, /^(?:format|quant_method|transform_config)$/);
    if (config.raw("transform_config") !== undefined && JSON.stringify(config.raw("transform_config")) !== "{}")
      config.assume(`${config.pathOf("transform_config")}: transforms of activations take no time`);
    return {
      layout: everywhere,
      // Without a list of what is left out, tools quantise the output head as any product.
      classes: ignored === undefined ? products : productsAndHead,
      excluded,
      named: patterns,
      kv,
    };
  },
};
