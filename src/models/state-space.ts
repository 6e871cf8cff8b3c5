import type { ConfigReader } from "./config-reader.ts";
import type { Family } from "./families.ts";
import { demandOff, kernelMax, mixerPath, stateFormat, widthMax } from "./mixer-parts.ts";
import type { LinearAttention } from "./spec.ts";

/** What one block of Mamba-1's selective scan walks at a time (state-spaces/mamba, selective_scan_fwd_kernel.cuh). */
const selectiveChunkTokens = 2048;

/**
 * Mamba-2 as in Nemotron-H and, under other names, Granite 4: one input projection to gate, x, B, C and step;
 * convolution over x, B and C.
 */
export function mamba2(reader: ConfigReader, family: Family, hiddenSize: number): LinearAttention {
  const heads = reader.count(`${mixerPath}.heads`, ["mamba_num_heads", "mamba_n_heads"], widthMax);
  const headDim = mamba2HeadDim(reader, hiddenSize, heads);
  const groups = reader.count(`${mixerPath}.groups`, ["n_groups", "mamba_n_groups"], widthMax);
  const state = reader.count(`${mixerPath}.state`, ["ssm_state_size", "mamba_d_state"], widthMax);
  const kernel = reader.count(`${mixerPath}.convolution`, ["conv_kernel", "mamba_d_conv"], kernelMax);
  const chunkTokens = reader.count(`${mixerPath}.chunkTokens`, ["chunk_size", "mamba_chunk_size"], {
    max: 65536,
    fallback: { value: 256, rule: "model class" },
  });
  demandOff(reader, "mamba_proj_bias", "use_bias");
  const biased = reader.first(["use_conv_bias", "mamba_conv_bias"]);
  if (biased !== null && typeof biased.value !== "boolean") reader.problem(biased.key, "true or false", biased.value);
  // The class of Nemotron-H keeps them so.
  if (!family.singleSublayers && reader.raw("mamba_ssm_cache_dtype") === undefined)
    reader.assume("states of Mamba-2 are kept in fp32; in bf16 they take half the memory");
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
  if (reader.raw("mamba_expand") === undefined) return reader.count(`${mixerPath}.headDim`, keys, widthMax);
  const inner = hiddenSize * reader.count(`${mixerPath}.expand`, ["mamba_expand"], { max: 64 });
  const isGiven = reader.first(keys) !== null && reader.raw("mamba_d_head") !== "auto";
  const rule = "mamba_expand x hidden_size / mamba_n_heads";
  const headDim = reader.count(`${mixerPath}.headDim`, isGiven ? keys : [], {
    ...widthMax,
    fallback: { value: inner / heads, rule },
  });
  if (!Number.isInteger(headDim))
    reader.problem("mamba_n_heads", `a divisor of mamba_expand x hidden_size ${inner}`, heads);
  else if (heads * headDim !== inner)
    reader.problem("mamba_expand", `mamba_n_heads x mamba_d_head / hidden_size, ${(heads * headDim) / hiddenSize}`);
  return headDim;
}

/** Mamba-1 as in Jamba, with norms on step, B and C. */
export function mamba1(reader: ConfigReader, hiddenSize: number): LinearAttention {
  const expand = reader.count(`${mixerPath}.expand`, ["mamba_expand"], { max: 64 });
  const state = reader.count(`${mixerPath}.state`, ["mamba_d_state"], widthMax);
  const kernel = reader.count(`${mixerPath}.convolution`, ["mamba_d_conv"], kernelMax);
  const stepRank = reader.count(`${mixerPath}.stepRank`, ["mamba_dt_rank"], widthMax);
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
