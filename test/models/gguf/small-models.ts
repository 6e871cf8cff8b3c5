import type { GgufContent, Tensor } from "./write-gguf.ts";

/** Types of ggml. */
export const [f32, q8, q4k, mxfp4] = [0, 8, 12, 39] as const;
const q6k = 14;
export const hidden = 256;
export const layers = 2;

export const layersOf = (tensors: (layer: string) => readonly Tensor[]): Tensor[] =>
  Array.from({ length: layers }, (_, layer) => tensors(`blk.${layer}.`)).flat();
export const outer: readonly Tensor[] = [
  ["token_embd.weight", [hidden, 512], q8],
  ["output.weight", [hidden, 512], q6k],
  ["output_norm.weight", [hidden], f32],
  ["rope_freqs.weight", [8], f32],
];
export const queries = (at: string, norms: boolean): Tensor[] => [
  [`${at}attn_norm.weight`, [hidden], f32],
  [`${at}ffn_norm.weight`, [hidden], f32],
  [`${at}attn_q.weight`, [hidden, 256], q4k],
  [`${at}attn_k.weight`, [hidden, 128], q4k],
  [`${at}attn_v.weight`, [hidden, 128], q6k],
  [`${at}attn_output.weight`, [256, hidden], q4k],
  ...(norms
    ? ([
        [`${at}attn_q_norm.weight`, [64], f32],
        [`${at}attn_k_norm.weight`, [64], f32],
      ] as const)
    : []),
];
export const experts = (at: string, width: number, down: number = q6k): Tensor[] => [
  [`${at}ffn_gate_inp.weight`, [hidden, 8], f32],
  [`${at}ffn_gate_exps.weight`, [hidden, width, 8], q4k],
  [`${at}ffn_up_exps.weight`, [hidden, width, 8], q4k],
  [`${at}ffn_down_exps.weight`, [width, hidden, 8], down],
];
export const common = (architecture: string): GgufContent["metadata"] => ({
  "general.architecture": architecture,
  [`${architecture}.block_count`]: layers,
  [`${architecture}.context_length`]: 4096,
  [`${architecture}.embedding_length`]: hidden,
  [`${architecture}.attention.head_count`]: 4,
  [`${architecture}.attention.head_count_kv`]: 2,
  [`${architecture}.expert_count`]: 8,
  [`${architecture}.expert_used_count`]: 2,
  [`${architecture}.rope.freq_base`]: 10000,
});
/** A small Qwen3-MoE: its keys and tensors are those of llama.cpp. */
export const qwenFile: GgufContent = {
  metadata: {
    ...common("qwen3moe"),
    "qwen3moe.attention.key_length": 64,
    "qwen3moe.attention.value_length": 64,
    "qwen3moe.feed_forward_length": 1024,
    "qwen3moe.expert_feed_forward_length": 256,
  },
  tensors: [...outer, ...layersOf((at) => [...queries(at, true), ...experts(at, 256)])],
};
