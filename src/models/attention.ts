import { aliases } from "./aliases.ts";
import type { ConfigReader } from "./config-reader.ts";
import type { Family } from "./families.ts";
import { compressedAttention, latentAttention } from "./latent-attention.ts";
import type { MixerKind } from "./layer-pattern.ts";
import { linearAttention } from "./linear-attention.ts";
import type { Attention, GqaAttention } from "./spec.ts";

/** Shape facts that the attention of every layer shares. */
interface ModelWidths {
  readonly hiddenSize: number;
  readonly contextTokensMax: number;
}

/** The token mixer of each layer. */
export function attentions(
  reader: ConfigReader,
  family: Family,
  widths: ModelWidths,
  mixers: readonly MixerKind[],
): readonly Attention[] {
  // A model without softmax attention may still carry its keys.
  for (const key of [...aliases.queryHeads, ...aliases.kvHeads, ...aliases.headDim]) reader.raw(key);
  if (family.attention === "compressed") return compressedAttention(reader, widths.hiddenSize, mixers.length);
  const latent = family.attention === "mla" && mixers.includes("full") ? latentAttention(reader, mixers.length) : null;
  const full =
    family.attention === "gqa" && mixers.includes("full") ? groupedAttention(reader, family, widths, "full") : null;
  const sharing = family.attention === "gqa" && full !== null ? sharedCaches(reader, family, widths) : null;
  const sliding = mixers.includes("sliding") ? groupedAttention(reader, family, widths, "sliding") : null;
  const linear = mixers.includes("linear") ? linearAttention(reader, family, widths.hiddenSize) : null;
  const none: Attention = { kind: "none" };
  const byKind = (mixer: MixerKind, layerIndex: number): Attention => {
    switch (mixer) {
      case "full":
        if (sharing !== null && layerIndex % sharing.factor !== 0) return sharing.attention;
        return latent?.[layerIndex] ?? full ?? none;
      case "sliding":
        return sliding ?? none;
      case "linear":
        return linear ?? none;
      case "none":
        return none;
    }
  };
  return mixers.map(byKind);
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
  return { factor, attention: groupedAttention(reader, family, widths, "full", true) };
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

/** Grouped-query attention of the layers that see everything, or of those that see a window. */
function groupedAttention(
  reader: ConfigReader,
  family: Family,
  widths: ModelWidths,
  variant: "full" | "sliding",
  sharedCache = false,
): GqaAttention {
  const path = variant === "full" ? "layers[].attention" : "layers[sliding].attention";
  const own = variantKeys[variant];
  const overriding = (keys: readonly string[], common: readonly string[]): readonly string[] =>
    keys.some((key) => reader.raw(key) !== undefined) ? keys : common;

  const queryHeads = reader.count(`${path}.queryHeads`, overriding(own.heads, aliases.queryHeads), { max: headsMax });
  const kvHeads = reader.count(`${path}.kvHeads`, overriding(own.kvHeads, aliases.kvHeads), {
    max: headsMax,
    fallback: { value: queryHeads, rule: "num_attention_heads (no num_key_value_heads)" },
  });
  const headDim = reader.count(`${path}.headDim`, overriding(own.headDim, aliases.headDim), {
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
  const valueHeadDim = reader.count(`${path}.valueHeadDim`, overriding(own.valueDim, ["v_head_dim"]), {
    max: headDimMax,
    fallback: { value: headDim, rule: "head_dim" },
  });
  const outputGate = reader.flag(`${path}.outputGate`, aliases.outputGate, {
    value: family.outputGate,
    rule: "model class",
  });
  const keyIsValue = variant === "full" && reader.raw("attention_k_eq_v") === true;
  const topTokens = sparseTopTokens(reader);
  const norm = queryKeyNorm(reader, family);

  return {
    kind: "gqa",
    queryHeads,
    kvHeads,
    headDim,
    ...(valueHeadDim === headDim ? {} : { valueHeadDim }),
    ...(keyIsValue ? { keyIsValue } : {}),
    ...(sharedCache ? { sharedCache } : {}),
    ...(topTokens === null ? {} : { topTokens }),
    windowTokens: variant === "sliding" ? windowTokens(reader, family, widths.contextTokensMax) : null,
    ...(variant === "sliding" && family.window === "chunked" ? { chunked: true } : {}),
    outputGate,
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
      sinkParameters(reader, family, variant, queryHeads),
  };
}

/** Tokens a windowed layer sees, or null where the window covers every context of the model. */
function windowTokens(reader: ConfigReader, family: Family, contextTokensMax: number): number | null {
  const keys = family.window === "chunked" ? ["attention_chunk_size"] : aliases.windowTokens;
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
  const older = reader.raw("qkv_bias");
  const biased = reader.flag("layers[].attention.bias", ["attention_bias"], {
    value: typeof older === "boolean" ? older : family.bias.byDefault,
    rule: typeof older === "boolean" ? "qkv_bias" : "model class",
  });
  return biased ? queryWidth + keyValueWidth + (family.bias.output ? hiddenSize : 0) : 0;
}

function queryKeyNorm(reader: ConfigReader, family: Family): Family["queryKeyNorm"] {
  const form = reader.raw("qk_norm_type");
  const normed = reader.flag("layers[].attention.queryKeyNorm", ["use_qk_norm"], {
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

/** Keys attended per query under block-sparse attention, or null. */
function sparseTopTokens(reader: ConfigReader): number | null {
  const sparse = reader.nested("sparse_attention_config");
  if (sparse === null || sparse.raw("use_sparse_attention") === false) return null;
  const blocks = sparse.count("layers[].attention.topBlocks", ["sparse_topk_blocks"]);
  const tokens = sparse.count("layers[].attention.blockTokens", ["sparse_block_size"]);
  reader.assume(
    "block-sparse attention applies to every layer, and its index projections are not counted as parameters",
  );
  return blocks * tokens;
}
