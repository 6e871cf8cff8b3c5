import { own } from "../core/own.ts";
import { aliases } from "./aliases.ts";
import type { ConfigReader } from "./config-reader.ts";
import type { Family } from "./families.ts";
import { compressedAttention, latentAttention } from "./latent-attention.ts";
import type { MixerKind } from "./layer-pattern.ts";
import { linearAttention } from "./linear-attention.ts";
import { blockSparse } from "./sparse-attention.ts";
import type { Attention, GqaAttention } from "./spec.ts";

/** Shape facts that the attention of every layer shares. */
interface ModelWidths {
  readonly hiddenSize: number;
  readonly contextTokensMax: number;
}

/** Keys of mixers that are no softmax attention. */
const mixerKey = /^(?:mamba|ssm|linear|conv|kda)_/;

/** The token mixer of each layer. */
export function attentions(
  reader: ConfigReader,
  family: Family,
  widths: ModelWidths,
  mixers: readonly MixerKind[],
): readonly Attention[] {
  // A model without softmax attention may still carry its keys.
  for (const keys of [aliases.queryHeads, aliases.kvHeads, aliases.headDim]) reader.first(keys);
  // Nor do those of a mixer speak of a model all of whose layers attend (Granite 4.0 without Mamba).
  if (family.mixer !== null && !mixers.includes("linear"))
    reader.skip(reader.keys().filter((key) => mixerKey.test(key)));
  if (family.attention === "compressed") return compressedAttention(reader, widths.hiddenSize, mixers.length);
  const latent = family.attention === "mla" && mixers.includes("full") ? latentAttention(reader, mixers.length) : null;
  const grouped = (variant: "full" | "sliding"): readonly GqaAttention[] | null =>
    mixers.includes(variant) ? groupedAttentions(reader, family, widths, variant, mixers.length) : null;
  const full = family.attention === "gqa" ? grouped("full") : null;
  const sliding = grouped("sliding");
  const sharing = full === null ? null : sharedCaches(reader, family, widths);
  const linear = mixers.includes("linear") ? linearAttention(reader, family, widths.hiddenSize) : null;
  const none: Attention = { kind: "none" };
  const byKind = (mixer: MixerKind, layerIndex: number): Attention => {
    switch (mixer) {
      case "full":
        if (sharing !== null && layerIndex % sharing.factor !== 0) return sharing.attention;
        return latent?.[layerIndex] ?? full?.[layerIndex] ?? none;
      case "sliding":
        return sliding?.[layerIndex] ?? none;
      case "linear":
        return linear ?? none;
      case "none":
        return none;
    }
  };
  return blockSparse(reader, widths.hiddenSize, mixers.map(byKind));
}

/**
 * Cross-layer attention: of every `factor` layers only the first has keys and values of its own, the others read them.
 * null where each layer has its own.
 */
function sharedCaches(
  reader: ConfigReader,
  family: Family,
  widths: ModelWidths,
): { readonly factor: number; readonly attention: GqaAttention } | null {
  const path = "layers[].attention.sharedCache";
  const absent = { value: false, rule: "absent" };
  if (reader.raw("use_cla") === undefined || !reader.flag(path, ["use_cla"], absent)) {
    reader.raw("cla_share_factor");
    return null;
  }
  const factor = reader.count(`${path}.layers`, ["cla_share_factor"], { max: 4096 });
  return { factor, attention: groupedAttention(reader, family, widths, "full", { sharedCache: true }) };
}

/** Keys that give windowed layers (MiMo-V2) or full layers (Gemma 4) a shape of their own. */
const variantKeys = {
  full: { heads: [], kvHeads: ["num_global_key_value_heads"], headDim: ["global_head_dim"], valueDim: [] },
  sliding: {
    heads: ["swa_num_attention_heads"],
    kvHeads: ["swa_num_key_value_heads"],
    headDim: ["swa_head_dim"],
    valueDim: ["swa_v_head_dim"],
  },
} as const;

const headsMax = 65536;
const headDimMax = 65536;

/** Grouped-query attention of one variant, an entry per layer: query heads may be listed by layer (Laguna). */
function groupedAttentions(
  reader: ConfigReader,
  family: Family,
  widths: ModelWidths,
  variant: "full" | "sliding",
  layerCount: number,
): readonly GqaAttention[] {
  const key = "num_attention_heads_per_layer";
  const listed = reader.perLayer(key, layerCount);
  if (listed !== null) reader.record("layers[].attention.queryHeads", key, "by layer");
  const common = listed === null ? groupedAttention(reader, family, widths, variant) : null;
  return Array.from({ length: layerCount }, (_, layerIndex) => {
    const heads = listed?.[layerIndex];
    if (common !== null || heads === undefined) return common ?? groupedAttention(reader, family, widths, variant);
    if (typeof heads === "number" && Number.isInteger(heads) && heads >= 1 && heads <= headsMax)
      return groupedAttention(reader, family, widths, variant, { queryHeads: heads });
    reader.problem(`${key}[${layerIndex}]`, "a number of heads", heads);
    return groupedAttention(reader, family, widths, variant, { queryHeads: 1 });
  });
}

/** Grouped-query attention of the layers that see everything, or of those that see a window. */
function groupedAttention(
  reader: ConfigReader,
  family: Family,
  widths: ModelWidths,
  variant: "full" | "sliding",
  given: { readonly queryHeads?: number; readonly sharedCache?: boolean } = {},
): GqaAttention {
  const path = variant === "full" ? "layers[].attention" : "layers[sliding].attention";
  const { sharedCache = false } = given;
  const keysOf = variantKeys[variant];
  // Step-3.5 describes its windowed layers in an object of their own.
  const setting = reader.nested("attention_other_setting");
  setting?.raw("attention_type");
  const counted = (
    name: string,
    keys: readonly string[],
    common: readonly string[],
    options: { readonly max: number; readonly fallback?: { readonly value: number; readonly rule: string } },
  ): number => {
    if (setting !== null && variant === "sliding" && common.some((key) => setting.raw(key) !== undefined))
      return setting.count(`${path}.${name}`, common, options);
    const overriding = keys.some((key) => reader.raw(key) !== undefined);
    return reader.count(`${path}.${name}`, overriding ? keys : common, options);
  };

  const queryHeads = given.queryHeads ?? counted("queryHeads", keysOf.heads, aliases.queryHeads, { max: headsMax });
  const kvHeads = counted("kvHeads", keysOf.kvHeads, aliases.kvHeads, {
    max: headsMax,
    fallback: { value: queryHeads, rule: "num_attention_heads (no num_key_value_heads)" },
  });
  const stating = [...keysOf.kvHeads, ...aliases.kvHeads].some((key) => reader.keys().includes(key));
  if (!stating && reader.first(aliases.kvHeads) === null)
    reader.assume("as many key-value heads as query heads, as no key gives their number");
  const headDim = counted("headDim", keysOf.headDim, aliases.headDim, {
    max: headDimMax,
    fallback: { value: widths.hiddenSize / queryHeads, rule: "hidden_size / num_attention_heads" },
  });
  if (!Number.isInteger(headDim))
    reader.problem(
      "head_dim",
      `a whole number, as hidden_size ${widths.hiddenSize} is no multiple of ${queryHeads} heads`,
    );
  if (queryHeads % kvHeads !== 0)
    reader.problem(aliases.kvHeads[0], `a divisor of the ${queryHeads} query heads`, kvHeads);
  const stated = setting?.raw("true_head_dim");
  if (stated !== undefined && variant === "sliding" && stated !== headDim)
    setting?.problem("true_head_dim", `head_dim ${headDim}`, stated);
  const valueHeadDim = counted("valueHeadDim", keysOf.valueDim, ["v_head_dim"], {
    max: headDimMax,
    fallback: { value: headDim, rule: "head_dim" },
  });
  const gate = readGate(reader, family, path);
  const queryRank = readQueryRank(reader, path);
  const keyIsValue = variant === "full" && reader.raw("attention_k_eq_v") === true;
  const norm = queryKeyNorm(reader, family);

  return {
    kind: "gqa",
    queryHeads,
    kvHeads,
    headDim,
    ...(valueHeadDim === headDim ? {} : { valueHeadDim }),
    ...(keyIsValue ? { keyIsValue } : {}),
    ...(sharedCache ? { sharedCache } : {}),
    windowTokens: variant === "sliding" ? windowTokens(reader, family, widths.contextTokensMax) : null,
    ...(variant === "sliding" && family.window === "chunked" ? { chunked: true } : {}),
    outputGate: gate === "channel",
    ...(queryRank === null ? {} : { queryRank }),
    ...(norm === "none" ? {} : { queryKeyNorm: norm === "whole" ? "whole" : "head" }),
    smallParameters:
      biasParameters(
        reader,
        family,
        widths.hiddenSize,
        queryHeads * headDim,
        sharedCache ? 0 : kvHeads * (headDim + valueHeadDim),
      ) +
      normParameters(norm, queryHeads, kvHeads, headDim) +
      // One column a head: too thin for a matrix of its own.
      (gate === "head" ? widths.hiddenSize * queryHeads : 0) +
      (queryRank ?? 0) +
      sinkParameters(reader, family, variant, queryHeads),
  };
}

/** An output gate per channel of a head or per head, or none. */
function readGate(reader: ConfigReader, family: Family, path: string): Family["outputGate"] {
  const given = reader.raw("gating") ?? reader.raw("use_head_wise_attn_gate");
  if (given === undefined) {
    const fallback = { value: family.outputGate !== "none", rule: "model class" };
    const gated = reader.flag(`${path}.outputGate`, aliases.outputGate, fallback);
    if (!gated) return "none";
    return family.outputGate === "head" ? "head" : "channel";
  }
  const gates: Readonly<Record<string, Family["outputGate"]>> = {
    true: "head",
    "per-head": "head",
    "per-element": "channel",
    false: "none",
  };
  const gate = own(gates, typeof given === "string" ? given : JSON.stringify(given));
  if (gate === undefined) reader.problem("gating", `one of ${Object.keys(gates).join(", ")}`, given);
  reader.record(`${path}.outputGate`, "gating ?? use_head_wise_attn_gate", gate ?? "none");
  return gate ?? "none";
}

/** Rank of a query projection in two steps, with a norm between them (Step-3), or null. */
function readQueryRank(reader: ConfigReader, path: string): number | null {
  if (reader.raw("share_q_dim") === undefined) return null;
  return reader.count(`${path}.queryRank`, ["share_q_dim"], { max: 1048576 });
}

/** Tokens a windowed layer sees, or null where the window covers every context of the model. */
function windowTokens(reader: ConfigReader, family: Family, contextTokensMax: number): number | null {
  const chunked = family.window === "chunked";
  // Elsewhere a chunk size repeats the window (MiMo-V2).
  const keys = chunked ? ["attention_chunk_size"] : [...aliases.windowTokens, "attention_chunk_size"];
  const window = reader.count("layers[sliding].attention.windowTokens", keys);
  return window >= contextTokensMax ? null : window;
}

function biasParameters(
  reader: ConfigReader,
  family: Family,
  hiddenSize: number,
  queryWidth: number,
  keyValueWidth: number,
): number {
  const older = reader.raw("qkv_bias") ?? reader.raw("use_qkv_bias");
  const biased = reader.flag("layers[].attention.bias", ["attention_bias"], {
    value: typeof older === "boolean" ? older : family.bias.byDefault,
    rule: typeof older === "boolean" ? "qkv_bias ?? use_qkv_bias" : "model class",
  });
  return biased ? queryWidth + keyValueWidth + (family.bias.output ? hiddenSize : 0) : 0;
}

function queryKeyNorm(reader: ConfigReader, family: Family): Family["queryKeyNorm"] {
  const form = reader.raw("qk_norm_type");
  const normed = reader.flag("layers[].attention.queryKeyNorm", ["use_qk_norm", "qk_norm"], {
    value: family.queryKeyNorm !== "none",
    rule: "model class",
  });
  if (!normed) return "none";
  if (family.queryKeyNorm === "weightless") return "weightless";
  return form === "per_layer" || (form === undefined && family.queryKeyNorm === "whole") ? "whole" : "head";
}

function normParameters(norm: Family["queryKeyNorm"], queryHeads: number, kvHeads: number, headDim: number): number {
  if (norm === "none" || norm === "weightless") return 0;
  return norm === "whole" ? (queryHeads + kvHeads) * headDim : 2 * headDim;
}

function sinkParameters(reader: ConfigReader, family: Family, variant: "full" | "sliding", queryHeads: number): number {
  const key = variant === "full" ? "add_full_attention_sink_bias" : "add_swa_attention_sink_bias";
  const path = variant === "full" ? "layers[].attention.sinks" : "layers[sliding].attention.sinks";
  return reader.flag(path, [key], { value: family.sinks, rule: "model class" }) ? queryHeads : 0;
}
