import { aliases } from "./aliases.ts";
import type { ConfigReader } from "./config-reader.ts";
import type { Family } from "./families.ts";
import type { LinearAttention } from "./spec.ts";

const path = "layers[linear].attention";
/** Chunks of the delta rule: FLA_CHUNK_SIZE of flash-linear-attention, as vLLM, SGLang and TensorRT-LLM ship it. */
const deltaChunkTokens = 64;
/** What one block of Mamba-1's selective scan walks at a time (state-spaces/mamba, selective_scan_fwd_kernel.cuh). */
const selectiveChunkTokens = 2048;
/** Blocks of lightning attention: BLOCK of vLLM's lightning_attn.py, block_size of transformers' MiniMaxConfig. */
const lightningChunkTokens = 256;
const widthMax = { max: 1048576 };

/** The mixer of the layers whose state does not grow with the context; null where the family defines none. */
export function linearAttention(reader: ConfigReader, family: Family, hiddenSize: number): LinearAttention | null {
  switch (family.mixer) {
    case "delta-net":
      return gatedDeltaNet(reader, hiddenSize);
    case "kimi-delta":
      return kimiDelta(reader, hiddenSize);
    case "mamba1":
      return mamba1(reader, hiddenSize);
    case "mamba2":
      return mamba2(reader, hiddenSize);
    case "lightning":
      // Ling 3 is of the class of Ring 2.5 and has another mixer.
      if (reader.raw("short_conv_kernel_size") !== undefined) return bailingDelta(reader, hiddenSize);
      return lightning(reader, family, hiddenSize);
    case "short-convolution":
      return shortConvolution(reader, hiddenSize);
    case null:
      reader.problem("layer_types", "no linear_attention: this model_type has no linear mixer");
      return null;
  }
}

/** Gated DeltaNet as in Qwen3-Next: fused q/k/v/z and b/a projections, a causal convolution over q, k and v. */
function gatedDeltaNet(reader: ConfigReader, hiddenSize: number): LinearAttention {
  const keyHeads = reader.count(`${path}.keyHeads`, ["linear_num_key_heads"], widthMax);
  const valueHeads = reader.count(`${path}.valueHeads`, ["linear_num_value_heads"], widthMax);
  const keyDim = reader.count(`${path}.keyHeadDim`, ["linear_key_head_dim"], widthMax);
  const valueDim = reader.count(`${path}.valueHeadDim`, ["linear_value_head_dim"], widthMax);
  const kernel = reader.count(`${path}.convolution`, ["linear_conv_kernel_dim"], { max: 1024 });
  const keys = keyHeads * keyDim;
  const values = valueHeads * valueDim;
  const convolved = 2 * keys + values;
  return {
    kind: "linear",
    projectionParameters:
      hiddenSize * (2 * keys + 2 * values + 2 * valueHeads) + convolved * kernel + values * hiddenSize,
    stateValues: valueHeads * keyDim * valueDim + convolved * (kernel - 1),
    ...stateFormat(reader, "mamba_ssm_dtype"),
    // Decay and step bias per head, and the gated output norm.
    smallParameters: 2 * valueHeads + valueDim,
    scan: {
      rule: "delta",
      heads: valueHeads,
      keyHeads,
      keyDim,
      valueDim,
      chunkTokens: deltaChunkTokens,
      convolved,
    },
  };
}

/** Kimi Delta Attention: q, k, v with short convolutions, a low-rank decay per channel, an output gate. */
function kimiDelta(reader: ConfigReader, hiddenSize: number): LinearAttention | null {
  const config = reader.nested("linear_attn_config");
  if (config === null) {
    reader.problem("linear_attn_config", "the shape of Kimi Delta Attention");
    return null;
  }
  const heads = config.count(`${path}.heads`, ["num_heads"], widthMax);
  const headDim = config.count(`${path}.headDim`, ["head_dim"], widthMax);
  const kernel = config.count(`${path}.convolution`, ["short_conv_kernel_size"], { max: 1024 });
  const fullGate = config.flag(`${path}.fullRankGate`, ["use_full_rank_gate"], { value: false, rule: "model class" });
  return channelDelta(hiddenSize, { heads, headDim, kernel, fullDecay: false, fullGate });
}

/** Kimi Delta Attention as Ling 3 writes it: decay and gate of full rank, unless they are low-rank as in Kimi Linear. */
function bailingDelta(reader: ConfigReader, hiddenSize: number): LinearAttention {
  const heads = reader.count(`${path}.heads`, aliases.queryHeads, widthMax);
  const headDim = reader.count(`${path}.headDim`, ["head_dim"], widthMax);
  const kernel = reader.count(`${path}.convolution`, ["short_conv_kernel_size"], { max: 1024 });
  const full = reader.flag(`${path}.fullRank`, ["no_kda_lora"], { value: false, rule: "model class" });
  const low = reader.raw("use_kda_lora");
  if (low !== undefined && low !== !full) reader.problem("use_kda_lora", `${!full}, as no_kda_lora is ${full}`, low);
  demandOff(reader, "use_bias", "use_qkv_bias", "value_norm");
  return channelDelta(hiddenSize, { heads, headDim, kernel, fullDecay: full, fullGate: full });
}

interface ChannelDelta {
  readonly heads: number;
  readonly headDim: number;
  readonly kernel: number;
  /** Projections of full rank, else through the width of a head. */
  readonly fullDecay: boolean;
  readonly fullGate: boolean;
}

function channelDelta(
  hiddenSize: number,
  { heads, headDim, kernel, fullDecay, fullGate }: ChannelDelta,
): LinearAttention {
  const width = heads * headDim;
  const projection = (full: boolean) => (full ? hiddenSize * width : hiddenSize * headDim + headDim * width);
  return {
    kind: "linear",
    projectionParameters:
      4 * hiddenSize * width + 3 * width * kernel + hiddenSize * heads + projection(fullDecay) + projection(fullGate),
    stateValues: heads * headDim * headDim + 3 * width * (kernel - 1),
    stateFormat: "fp32",
    smallParameters: heads + width + headDim,
    scan: {
      rule: "channelDelta",
      heads,
      keyHeads: heads,
      keyDim: headDim,
      valueDim: headDim,
      chunkTokens: deltaChunkTokens,
      convolved: 3 * width,
    },
  };
}

/**
 * Mamba-2 as in Nemotron-H and, under other names, Granite 4: one input projection to gate, x, B, C and step;
 * convolution over x, B and C.
 */
function mamba2(reader: ConfigReader, hiddenSize: number): LinearAttention {
  const heads = reader.count(`${path}.heads`, ["mamba_num_heads", "mamba_n_heads"], widthMax);
  const headDim = mamba2HeadDim(reader, hiddenSize, heads);
  const groups = reader.count(`${path}.groups`, ["n_groups", "mamba_n_groups"], widthMax);
  const state = reader.count(`${path}.state`, ["ssm_state_size", "mamba_d_state"], widthMax);
  const kernel = reader.count(`${path}.convolution`, ["conv_kernel", "mamba_d_conv"], { max: 1024 });
  const chunkTokens = reader.count(`${path}.chunkTokens`, ["chunk_size", "mamba_chunk_size"], {
    max: 65536,
    fallback: { value: 256, rule: "model class" },
  });
  demandOff(reader, "mamba_proj_bias", "use_bias");
  const biased = reader.first(["use_conv_bias", "mamba_conv_bias"]);
  if (biased !== null && typeof biased.value !== "boolean") reader.problem(biased.key, "true or false", biased.value);
  const inner = heads * headDim;
  const convolved = inner + 2 * groups * state;
  return {
    kind: "linear",
    projectionParameters: hiddenSize * (inner + convolved + heads) + convolved * kernel + inner * hiddenSize,
    stateValues: inner * state + convolved * (kernel - 1),
    ...stateFormat(reader, "mamba_ssm_cache_dtype"),
    smallParameters: (biased?.value === false ? 0 : convolved) + 3 * heads + inner,
    scan: { rule: "decay", heads, keyHeads: groups, keyDim: state, valueDim: headDim, chunkTokens, convolved },
  };
}

/** Width of a head; Granite 4 also gives it as `auto`, a share of the inner width. */
function mamba2HeadDim(reader: ConfigReader, hiddenSize: number, heads: number): number {
  const keys = ["mamba_head_dim", "mamba_d_head"];
  if (reader.raw("mamba_expand") === undefined) return reader.count(`${path}.headDim`, keys, widthMax);
  const inner = hiddenSize * reader.count(`${path}.expand`, ["mamba_expand"], { max: 64 });
  const isGiven = reader.first(keys) !== null && reader.raw("mamba_d_head") !== "auto";
  const rule = "mamba_expand x hidden_size / mamba_n_heads";
  const headDim = reader.count(`${path}.headDim`, isGiven ? keys : [], {
    ...widthMax,
    fallback: { value: inner / heads, rule },
  });
  if (!Number.isInteger(headDim))
    reader.problem("mamba_n_heads", `a divisor of mamba_expand x hidden_size ${inner}`, heads);
  else if (heads * headDim !== inner)
    reader.problem("mamba_expand", `mamba_n_heads x mamba_d_head / hidden_size, ${(heads * headDim) / hiddenSize}`);
  return headDim;
}

/**
 * Lightning attention as in MiniMax-Text-01 (arXiv 2501.08313) and Ring-linear (arXiv 2510.19338): all heads with keys of
 * their own, an output gate, and a norm of the outputs over all heads or in groups of them.
 */
function lightning(reader: ConfigReader, family: Family, hiddenSize: number): LinearAttention {
  const heads = reader.count(`${path}.heads`, aliases.queryHeads, widthMax);
  const headDim = reader.count(`${path}.headDim`, aliases.headDim, {
    ...widthMax,
    fallback: { value: hiddenSize / heads, rule: "hidden_size / num_attention_heads" },
  });
  if (!Number.isInteger(headDim))
    reader.problem("num_attention_heads", `a divisor of hidden_size ${hiddenSize}`, heads);
  const chunkTokens = reader.count(`${path}.chunkTokens`, ["block_size"], {
    max: 65536,
    fallback: { value: lightningChunkTokens, rule: "model class" },
  });
  // How the shared expert is gated, where there is one.
  reader.raw("shared_moe_mode");
  reader.assume("states of lightning attention are kept in bf16, as vLLM does; in fp32 they take twice the memory");
  const inGroups = reader.raw("group_norm_size") !== undefined;
  const activated = reader.flag(`${path}.activation`, ["linear_silu", "use_linear_silu"], {
    value: !inGroups,
    rule: "model class",
  });
  demandOff(reader, "use_bias", "use_qkv_bias");
  const inner = heads * headDim;
  return {
    kind: "linear",
    // Queries, keys and values, the output gate, and the output.
    projectionParameters: 5 * hiddenSize * inner,
    stateValues: heads * headDim * headDim,
    stateFormat: "bf16",
    ...(inGroups ? {} : { wholeNorm: true }),
    smallParameters: inner + (family.queryKeyNorm === "head" && reader.raw("use_qk_norm") !== false ? 2 * headDim : 0),
    scan: {
      rule: "lightning",
      heads,
      keyHeads: heads,
      keyDim: headDim,
      valueDim: headDim,
      chunkTokens,
      convolved: activated ? 3 * inner : 0,
    },
  };
}

/** Gated short convolution of LFM2: three projections of the input, of which two gate the convolution of the third. */
function shortConvolution(reader: ConfigReader, hiddenSize: number): LinearAttention {
  const kernel = reader.count(`${path}.convolution`, ["conv_L_cache"], { max: 1024 });
  const width = reader.raw("conv_dim");
  if (width !== undefined && width !== hiddenSize) reader.problem("conv_dim", `hidden_size ${hiddenSize}`, width);
  const biased = reader.flag(`${path}.bias`, ["conv_bias"], { value: false, rule: "model class" });
  return {
    kind: "linear",
    projectionParameters: hiddenSize * (3 * hiddenSize + kernel) + hiddenSize * hiddenSize,
    stateValues: hiddenSize * (kernel - 1),
    stateFormat: "bf16",
    // Of the projections in and out and of the convolution.
    smallParameters: biased ? 5 * hiddenSize : 0,
    scan: {
      rule: "convolution",
      heads: hiddenSize,
      keyHeads: hiddenSize,
      keyDim: kernel - 1,
      valueDim: 1,
      chunkTokens: kernel,
      convolved: hiddenSize,
    },
  };
}

/** Mamba-1 as in Jamba, with norms on step, B and C. */
function mamba1(reader: ConfigReader, hiddenSize: number): LinearAttention {
  const expand = reader.count(`${path}.expand`, ["mamba_expand"], { max: 64 });
  const state = reader.count(`${path}.state`, ["mamba_d_state"], widthMax);
  const kernel = reader.count(`${path}.convolution`, ["mamba_d_conv"], { max: 1024 });
  const stepRank = reader.count(`${path}.stepRank`, ["mamba_dt_rank"], widthMax);
  demandOff(reader, "mamba_proj_bias");
  const inner = expand * hiddenSize;
  return {
    kind: "linear",
    projectionParameters:
      hiddenSize * 2 * inner +
      inner * kernel +
      inner * (stepRank + 2 * state) +
      stepRank * inner +
      inner * state +
      inner * hiddenSize,
    stateValues: inner * state + inner * (kernel - 1),
    stateFormat: "fp32",
    smallParameters: (reader.raw("mamba_conv_bias") === false ? 0 : inner) + 2 * inner + stepRank + 2 * state,
    scan: {
      rule: "selective",
      heads: inner,
      keyHeads: 1,
      keyDim: state,
      valueDim: 1,
      chunkTokens: selectiveChunkTokens,
      convolved: inner,
    },
  };
}

/** Refuses switches that the mixer cannot express. */
function demandOff(reader: ConfigReader, ...keys: readonly string[]): void {
  for (const key of keys) {
    const value = reader.raw(key);
    if (value !== undefined && value !== false) reader.problem(key, "false", value);
  }
}

/** Format of the recurrent state; the small convolution state is counted in it too. */
function stateFormat(reader: ConfigReader, key: string): { readonly stateFormat: "fp32" | "bf16" } {
  const name = reader.text([key]);
  const format = name === "bfloat16" ? "bf16" : "fp32";
  reader.record(`${path}.stateFormat`, name === null ? "model class" : key, format);
  return { stateFormat: format };
}
