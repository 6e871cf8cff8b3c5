import { aliases } from "./aliases.ts";
import type { ConfigReader } from "./config-reader.ts";
import type { Family } from "./families.ts";
import { demandOff, mixerPath, widthMax } from "./mixer-parts.ts";
import type { LinearAttention } from "./spec.ts";

/** Blocks of lightning attention: BLOCK of vLLM's lightning_attn.py, block_size of transformers' MiniMaxConfig. */
const lightningChunkTokens = 256;

/**
 * Lightning attention as in MiniMax-Text-01 (arXiv 2501.08313) and Ring-linear (arXiv 2510.19338): all heads with keys of
 * their own, an output gate, and a norm of the outputs over all heads or in groups of them.
 */
export function lightning(reader: ConfigReader, family: Family, hiddenSize: number): LinearAttention {
  const heads = reader.count(`${mixerPath}.heads`, aliases.queryHeads, widthMax);
  const headDim = reader.count(`${mixerPath}.headDim`, aliases.headDim, {
    ...widthMax,
    fallback: { value: hiddenSize / heads, rule: "hidden_size / num_attention_heads" },
  });
  if (!Number.isInteger(headDim))
    reader.problem("num_attention_heads", `a divisor of hidden_size ${hiddenSize}`, heads);
  const chunkTokens = reader.count(`${mixerPath}.chunkTokens`, ["block_size"], {
    max: 65536,
    fallback: { value: lightningChunkTokens, rule: "model class" },
  });
  reader.assume("states of lightning attention are kept in bf16, as vLLM does; in fp32 they take twice the memory");
  const inGroups = reader.raw("group_norm_size") !== undefined;
  const activated = reader.flag(`${mixerPath}.activation`, ["linear_silu", "use_linear_silu"], {
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
