import type { Json } from "../core/json.ts";
import { own } from "../core/own.ts";
import { aliases } from "./aliases.ts";
import type { ConfigReader } from "./config-reader.ts";
import type { Family } from "./families.ts";
import { isInert } from "./inert.ts";
import { bits, fill, listedLayers } from "./layer-lists.ts";
import { layoutKeys, moeLayers, moeRange } from "./moe-layers.ts";
import { patternKeys, windowPattern } from "./window-pattern.ts";

/** What mixes tokens in a layer: attention over all keys, over a window, a linear mixer, or nothing. */
export type MixerKind = "full" | "sliding" | "linear" | "none";
export type FeedForwardKind = "moe" | "dense" | "none";

interface LayerPattern {
  readonly mixers: readonly MixerKind[];
  readonly feedForwards: readonly FeedForwardKind[];
}

/** Blocks of Nemotron-H: one sublayer each. Letters of `hybrid_override_pattern`, words of `layers_block_type`. */
const blocks: Readonly<Record<string, readonly [MixerKind, FeedForwardKind]>> = {
  M: ["linear", "none"],
  "*": ["full", "none"],
  E: ["none", "moe"],
  "-": ["none", "dense"],
  mamba: ["linear", "none"],
  attention: ["full", "none"],
  moe: ["none", "moe"],
  mlp: ["none", "dense"],
};

const layerTypes: Readonly<Record<string, MixerKind>> = {
  full_attention: "full",
  deepseek_sparse_attention: "full",
  attention: "full",
  minimax_m3_sparse: "full",
  sliding_attention: "sliding",
  chunked_attention: "sliding",
  linear_attention: "linear",
  mamba: "linear",
  conv: "linear",
};

/** The list of single-sublayer blocks of a hybrid model, or null where layers have two sublayers. */
export function hybridBlocks(reader: ConfigReader, family: Family): readonly string[] | null {
  if (!family.singleSublayers) return null;
  const pattern = reader.raw("hybrid_override_pattern");
  if (typeof pattern === "string") return pattern.split("");
  const words = reader.raw("layers_block_type");
  if (Array.isArray(words)) return words.map(String);
  return null;
}

/** Mixer and feed-forward of every layer. `hasExperts` is false for a dense model. */
export function layerPattern(
  reader: ConfigReader,
  family: Family,
  layerCount: number,
  hasExperts: boolean,
): LayerPattern {
  const hybrid = hybridBlocks(reader, family);
  if (hybrid !== null) {
    const known = hybrid.map((block, index) => {
      if (!Object.hasOwn(blocks, block))
        reader.problem(`layers_block_type[${index}]`, `one of ${Object.keys(blocks).join(" ")}`, block);
      return blocks[block] ?? (["none", "none"] as const);
    });
    reader.record("layers[].kind", "hybrid_override_pattern ?? layers_block_type", hybrid.join(" "));
    return { mixers: known.map(([mixer]) => mixer), feedForwards: known.map(([, feedForward]) => feedForward) };
  }
  return {
    mixers: mixerKinds(reader, family, layerCount),
    feedForwards: feedForwardKinds(reader, family, layerCount, hasExperts),
  };
}

function mixerKinds(reader: ConfigReader, family: Family, layerCount: number): readonly MixerKind[] {
  const path = "layers[].attention.kind";
  // Every layer compresses; how much is read with its attention.
  if (family.attention === "compressed") return fill(layerCount, () => "full");
  const namesKey = reader.raw("layer_types") === undefined ? "layers_block_type" : "layer_types";
  const byName = reader.perLayer(namesKey, layerCount, true);
  if (byName !== null) {
    reader.record(path, namesKey, byName.length);
    reader.skip([...restatements, ...patternKeys]);
    return byName.map((name, index) => {
      const kind = typeof name === "string" ? own(layerTypes, name) : undefined;
      if (kind === undefined)
        reader.problem(`${namesKey}[${index}]`, `one of ${Object.keys(layerTypes).join(", ")}`, name);
      return kind ?? "full";
    });
  }
  const interval = reader.raw("full_attention_interval");
  if (interval !== undefined) {
    const every = reader.count(path, ["full_attention_interval"]);
    return fill(layerCount, (layer) => ((layer + 1) % every === 0 ? "full" : "linear"));
  }
  const window = windowPattern(reader, layerCount);
  if (window !== null) return window;
  const hybrid = reader.perLayer("hybrid_layer_pattern", layerCount);
  if (hybrid !== null) {
    reader.record(path, "hybrid_layer_pattern", hybrid.length);
    return bits(reader, "hybrid_layer_pattern", hybrid).map((windowed) => (windowed ? "sliding" : "full"));
  }
  const attentionTypes = reader.perLayer("attn_type_list", layerCount);
  if (attentionTypes !== null && family.mixer === "lightning") {
    reader.record(path, "attn_type_list", attentionTypes.length);
    return bits(reader, "attn_type_list", attentionTypes).map((softmax) => (softmax ? "full" : "linear"));
  }
  if (attentionTypes?.some((type) => type !== 1))
    reader.problem("attn_type_list", "softmax attention (1) in every layer", "another type");
  if (family.mixer === "lightning" && reader.raw("layer_group_size") !== undefined) {
    const size = reader.count(path, ["layer_group_size"]);
    // The last of each group attends to all, and so do layers beyond the last whole group.
    const grouped = Math.floor(layerCount / size) * size;
    return fill(layerCount, (layer) => ((layer + 1) % size === 0 || layer >= grouped ? "full" : "linear"));
  }
  const attending = reader.raw("full_attn_idxs");
  if (attending !== undefined) {
    const full = listedLayers(reader, "full_attn_idxs", attending, layerCount);
    reader.record(path, "full_attn_idxs", full.size);
    return fill(layerCount, (layer) => (full.has(layer) ? "full" : "linear"));
  }
  const kimi = reader.nested("linear_attn_config");
  if (kimi !== null) {
    const full = listedLayers(kimi, "full_attn_layers", kimi.raw("full_attn_layers") ?? null, layerCount, 1);
    const linear = kimi.raw("kda_layers");
    if (Array.isArray(linear)) {
      const rest = layerCount - full.size;
      if (linear.length !== rest)
        kimi.problem("kda_layers", `the ${rest} layers that full_attn_layers leaves`, linear.length);
      const both = linear.findIndex((layer) => full.has(layer));
      if (both >= 0) kimi.problem(`kda_layers[${both}]`, "a layer that full_attn_layers leaves", linear[both]);
    }
    kimi.raw("gate_lower_bound");
    kimi.record(path, "linear_attn_config.full_attn_layers", full.size);
    return fill(layerCount, (layer) => (full.has(layer + 1) ? "full" : "linear"));
  }
  if (family.mixer === "mamba1") {
    const period = reader.count(`${path}.period`, ["attn_layer_period"]);
    const offset = reader.count(`${path}.offset`, ["attn_layer_offset"], { min: 0 });
    return fill(layerCount, (layer) => (layer % period === offset ? "full" : "linear"));
  }
  // A list that is there and wrong is a problem already.
  if (family.mixer !== null && reader.raw(namesKey) === undefined && reader.raw("attn_type_list") === undefined)
    reader.problem("layer_types", "a list that says which layers attend: this model_type has others too");
  return windowKinds(reader, family, layerCount);
}

/** Keys that say more of windows, and change nothing where `layer_types` has said which layers have one. */
const restatements = [
  "full_attention_interval",
  "full_attn_idxs",
  "sliding_window",
  "use_sliding_window",
  "max_window_layers",
  "hybrid_layer_pattern",
  "prefix_dense_sliding_window_pattern",
];

/** Windows that the model class places, from `sliding_window` or `attention_chunk_size`. */
function windowKinds(reader: ConfigReader, family: Family, layerCount: number): readonly MixerKind[] {
  const path = "layers[].attention.kind";
  const switched = reader.raw("use_sliding_window") !== undefined;
  const window = family.window === "none" && !switched ? null : reader.first(aliases.windowTokens);
  switch (family.window) {
    case "all":
      return fill(layerCount, () => (window === null ? "full" : "sliding"));
    case "none":
    case "if-enabled": {
      if (family.window === "none" && !switched) {
        reader.skip(["max_window_layers"]);
        return fill(layerCount, () => "full");
      }
      const enabled = reader.raw("use_sliding_window") === true && window !== null;
      const from = reader.count(`${path}.from`, ["max_window_layers"], {
        min: 0,
        fallback: { value: layerCount, rule: "no windowed layers" },
      });
      return fill(layerCount, (layer) => (enabled && layer >= from ? "sliding" : "full"));
    }
    case "alternating":
      reader.assume("sliding and full attention alternate, sliding first, as in the model class");
      reader.record(path, "alternating, sliding first (model class)", layerCount);
      return fill(layerCount, (layer) => (layer % 2 === 0 && window !== null ? "sliding" : "full"));
    case "chunked": {
      const rope = reader.perLayer("no_rope_layers", layerCount);
      const chunked = reader.raw("attention_chunk_size") !== undefined;
      const every = reader.count(`${path}.every`, ["no_rope_layer_interval"], {
        fallback: { value: 4, rule: "every fourth layer sees the whole context (model class)" },
      });
      reader.record(path, "no_rope_layers ?? no_rope_layer_interval", layerCount);
      if (chunked) reader.assume("attention in chunks is treated as a window of attention_chunk_size tokens");
      return fill(layerCount, (layer) => {
        const local = rope === null ? (layer + 1) % every !== 0 : rope[layer] === 1;
        return chunked && local ? "sliding" : "full";
      });
    }
  }
}

/** Names of `mlp_layer_types`, and whether a layer of that name holds experts. */
const layerNames: Readonly<Record<string, boolean>> = { dense: false, sparse: true, moe: true, hash_moe: true };

function holdsExperts(name: Json | undefined): boolean | undefined {
  return typeof name === "string" ? own(layerNames, name) : undefined;
}

function feedForwardKinds(
  reader: ConfigReader,
  family: Family,
  layerCount: number,
  hasExperts: boolean,
): readonly FeedForwardKind[] {
  const path = "layers[].feedForward.kind";
  const kinds = (isMoe: (layer: number) => boolean, rule: string): readonly FeedForwardKind[] => {
    reader.record(path, rule, layerCount);
    return fill(layerCount, (layer) => (isMoe(layer) ? "moe" : "dense"));
  };
  if (!hasExperts) return kinds(() => false, "no experts");

  const byName = reader.perLayer("mlp_layer_types", layerCount);
  // Beside a list of names only a prefix that the file itself states counts.
  const prefix = reader.count(
    "layers[].feedForward.densePrefix",
    byName === null ? aliases.densePrefix : aliases.densePrefix.filter((key) => reader.has(key)),
    { min: 0, max: layerCount, fallback: { value: 0, rule: "no first_k_dense_replace" } },
  );
  const listed = reader.raw("moe_layers_enum");
  const range = reader.raw("moe_layer_start_index");
  const frequency = reader.raw("moe_layer_freq");
  if (byName !== null) {
    byName.forEach((name, layer) => {
      const sparse = holdsExperts(name);
      if (sparse === undefined) reader.problem(`mlp_layer_types[${layer}]`, "dense or sparse", name);
      if (sparse === true && layer < prefix)
        reader.problem(`mlp_layer_types[${layer}]`, `dense, as first_k_dense_replace is ${prefix}`, name);
    });
    reader.skip(["decoder_sparse_step", "mlp_only_layers", "interleave_moe_layer_step", "moe_layers"]);
    return kinds((layer) => holdsExperts(byName[layer]) === true, "mlp_layer_types");
  }
  if (listed !== undefined) {
    const layers = moeLayers(reader, listed, layerCount);
    reader.skip(["moe_every_n_layer", "moe_layer_offset"]);
    return kinds((layer) => layers.has(layer), "moe_layers_enum");
  }
  if (range !== undefined)
    return kinds(moeRange(reader, path, layerCount), "moe_layer_start_index, _end_index, _interval");
  const layout = layoutKeys.find((key) => Array.isArray(reader.raw(key)));
  if (layout !== undefined) {
    const list = bits(reader, layout, reader.perLayer(layout, layerCount) ?? []);
    return kinds((layer) => list[layer] === true, layout);
  }
  if (Array.isArray(frequency)) {
    const list = bits(reader, "moe_layer_freq", reader.perLayer("moe_layer_freq", layerCount) ?? []);
    const early = list.findIndex((moe, layer) => moe && layer < prefix);
    if (early >= 0) reader.problem(`moe_layer_freq[${early}]`, `0, as first_k_dense_replace is ${prefix}`, 1);
    return kinds((layer) => list[layer] === true, "moe_layer_freq");
  }
  const explicit = reader.raw("moe_layers");
  const step = reader.raw("interleave_moe_layer_step");
  if (Array.isArray(explicit) && explicit.length > 0) {
    const listed = listedLayers(reader, "moe_layers", explicit, layerCount);
    return kinds((layer) => listed.has(layer), "moe_layers");
  }
  if (step !== undefined) {
    const every = reader.count(`${path}.step`, ["interleave_moe_layer_step"]);
    return kinds((layer) => (layer + 1) % every === 0, "interleave_moe_layer_step");
  }
  if (family.mixer === "mamba1") {
    const period = reader.count(`${path}.period`, ["expert_layer_period"]);
    const offset = reader.count(`${path}.offset`, ["expert_layer_offset"], { min: 0 });
    return kinds((layer) => layer % period === offset, "expert_layer_period, expert_layer_offset");
  }
  const only = reader.raw("mlp_only_layers");
  const none = only === undefined || isInert(only);
  const dense = none ? new Set<number>() : listedLayers(reader, "mlp_only_layers", only, layerCount);
  const one = { fallback: { value: 1, rule: "every layer" } };
  const sparseStep = reader.count(`${path}.sparseStep`, ["decoder_sparse_step"], one);
  const every = reader.count(`${path}.every`, ["moe_layer_freq", "moe_layer_frequency"], one);
  return kinds(
    (layer) => layer >= prefix && layer % every === 0 && (layer + 1) % sparseStep === 0 && !dense.has(layer),
    "first_k_dense_replace, moe_layer_freq, decoder_sparse_step, mlp_only_layers",
  );
}
