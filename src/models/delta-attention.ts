import { aliases } from "./aliases.ts";
import type { ConfigReader } from "./config-reader.ts";
import { demandOff, kernelMax, mixerPath, stateFormat, widthMax } from "./mixer-parts.ts";
import type { LinearAttention } from "./spec.ts";

/** Chunks of the delta rule: FLA_CHUNK_SIZE of flash-linear-attention, as vLLM, SGLang and TensorRT-LLM ship it. */
const deltaChunkTokens = 64;

/** Gated DeltaNet as in Qwen3-Next: fused q/k/v/z and b/a projections, a causal convolution over q, k and v. */
export function gatedDeltaNet(reader: ConfigReader, hiddenSize: number): LinearAttention {
  const keyHeads = reader.count(`${mixerPath}.keyHeads`, ["linear_num_key_heads"], widthMax);
  const valueHeads = reader.count(`${mixerPath}.valueHeads`, ["linear_num_value_heads"], widthMax);
  const keyDim = reader.count(`${mixerPath}.keyHeadDim`, ["linear_key_head_dim"], widthMax);
  const valueDim = reader.count(`${mixerPath}.valueHeadDim`, ["linear_value_head_dim"], widthMax);
  const kernel = reader.count(`${mixerPath}.convolution`, ["linear_conv_kernel_dim"], kernelMax);
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
export function kimiDelta(reader: ConfigReader, hiddenSize: number): LinearAttention | null {
  const config = reader.nested("linear_attn_config");
  if (config === null) {
    reader.problem("linear_attn_config", "the shape of Kimi Delta Attention");
    return null;
  }
  const heads = config.count(`${mixerPath}.heads`, ["num_heads"], widthMax);
  const headDim = config.count(`${mixerPath}.headDim`, ["head_dim"], widthMax);
  const kernel = config.count(`${mixerPath}.convolution`, ["short_conv_kernel_size"], kernelMax);
  const fullGate = config.flag(`${mixerPath}.fullRankGate`, ["use_full_rank_gate"], {
    value: false,
    rule: "model class",
  });
  return channelDelta(hiddenSize, { heads, headDim, kernel, fullDecay: false, fullGate });
}

/** Kimi Delta Attention as Ling 3 writes it: decay and gate of full rank, unless they are low-rank as in Kimi Linear. */
export function bailingDelta(reader: ConfigReader, hiddenSize: number): LinearAttention {
  const heads = reader.count(`${mixerPath}.heads`, aliases.queryHeads, widthMax);
  const headDim = reader.count(`${mixerPath}.headDim`, ["head_dim"], widthMax);
  const kernel = reader.count(`${mixerPath}.convolution`, ["short_conv_kernel_size"], kernelMax);
  const full = reader.flag(`${mixerPath}.fullRank`, ["no_kda_lora"], { value: false, rule: "model class" });
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
