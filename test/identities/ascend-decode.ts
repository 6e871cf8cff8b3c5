import { engineNamed } from "../../src/engine/catalogue.ts";
import { nodeNamed } from "../../src/hardware/named-profiles.ts";
import { modelNamed } from "../../src/models/catalogue.ts";
import type { ModelSpec } from "../../src/models/spec.ts";
import type { Mapping } from "../../src/sim/mapping.ts";
import { simulate } from "../../src/sim/simulate.ts";
import { resolve } from "../models/configs.ts";
import { singleDevice, testConfig, testRequests } from "../sim/build.ts";

/** Context of the published rows, tokens, and decode steps simulated about it. */
const contextTokens = 2048;
const decodeSteps = 16;

/**
 * The engine as shipped. Its kernels are counted in vllm-project/vllm-ascend (models/pangu_moe.py,
 * quantization/w8a8_dynamic.py; W8A8): attention 8 (norm, quantise + QKV, rotary, cache write, attention, quantise +
 * output); a dense network 6 (norm, quantise, gate + up, SwiGLU, quantise, down); a shared expert 5 of these; routed experts
 * 21: the norm, the router 1, its choice in groups 7 (softmax, max, arange, cast, add, gather, multiply), the experts 11 (two
 * index kernels, permute, count, cast, quantise, product, SwiGLU, quantise, product, unpermute), the sum of both parts 1.
 */
export const vllmAscend = engineNamed("vllm-ascend");

const dense = (layers: number, hiddenSize: number, width: number, heads: number): ModelSpec =>
  resolve({
    model_type: "qwen2",
    hidden_size: hiddenSize,
    num_hidden_layers: layers,
    vocab_size: 152064,
    max_position_embeddings: 32768,
    num_attention_heads: heads,
    num_key_value_heads: 8,
    intermediate_size: width,
    torch_dtype: "bfloat16",
    tie_word_embeddings: false,
  });

/** Pangu Pro MoE, and dense models of 32 B and 72 B; the paper does not give the shapes of these, here Qwen2.5's. */
export const models = {
  pangu: modelNamed("pangu-pro-moe"),
  dense32: dense(64, 5120, 27648, 40),
  dense72: dense(80, 8192, 29568, 64),
};

/** Layouts on four devices. */
export const layouts = {
  tensor: { ...singleDevice, tp: 4, etp: 4 },
  expert: { ...singleDevice, tp: 4, ep: 4 },
  hybrid: { ...singleDevice, tp: 2, dp: 2, ep: 4 },
} as const satisfies Record<string, Mapping>;

/**
 * Time of one decode step in ms on four Ascend 910B (W8A8, 16-bit cache), all of `batch` sequences near 2,048 tokens.
 * Device and engine are the profiles as shipped, `kernelOverheadNs` apart where it is given.
 */
export function decodeStepMs(
  model: ModelSpec,
  mapping: Mapping,
  batch: number,
  kernelOverheadNs = vllmAscend.kernelOverheadNs,
): number {
  const node = nodeNamed("ascend-800i-a2-8");
  const engine = { ...vllmAscend, kernelOverheadNs };
  const prompt = contextTokens - decodeSteps / 2;
  const requests = testRequests(Array.from({ length: batch }, () => ({ prompt, output: decodeSteps + 1 })));
  const config = testConfig({
    model,
    formats: { ...model.formats, attention: "int8", dense: "int8", shared: "int8", experts: "int8", head: "int8" },
    // The published batch fills the devices to the last byte; what is timed here does not depend on their memory.
    node: { ...node, device: { ...node.device, memoryBytes: 1e13 } },
    engine,
    mapping,
    // One step computes all prompts, so that the others decode together.
    scheduler: {
      ...engine.defaults,
      prefixCaching: false,
      maxBatchTokens: prompt * batch,
      maxSequences: batch,
      contextTokensMax: 4096,
    },
    workload: { kind: "open", requests },
    routing: { kind: "uniform" },
  });
  const rows = simulate(config).requests;
  const first = rows.firstTokenNs[batch - 1] ?? Number.NaN;
  const last = rows.lastTokenNs[batch - 1] ?? Number.NaN;
  return (last - first) / decodeSteps / 1e6;
}
