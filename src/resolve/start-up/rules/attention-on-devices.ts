import { ampere, hopper, rtxBlackwell } from "../compute-capabilities.ts";
import { computeCapabilityOf, engineName, olderThan, type StartUpRule } from "../start-up-rule.ts";

/** First versions with kernels of sparse attention for RTX Blackwell. */
const firstOnRtx: Readonly<Record<string, readonly number[]>> = {
  vllm: [0, 23],
  sglang: [0, 5, 13],
  "tensorrt-llm": [1, 3],
};

/** Kernels of sparse latent attention and of its indexer are written for Hopper and the data-centre chips of Blackwell. */
export const sparseAttention: StartUpRule = {
  about: "sparse attention (DeepSeek-V3.2, V4, GLM-5) on GPUs",
  engines: Object.keys(firstOnRtx),
  says: "refuse it before Hopper, and on RTX Blackwell up to vLLM 0.22, SGLang 0.5.12 and TensorRT-LLM 1.2, noted there since",
  source:
    'vLLM, issues 31936, 35021 and 38006 (open): "No valid attention backend found ... FLASHMLA_SPARSE: compute capability not supported"; pull request 47527. SGLang, issue 26087 and pull request 26928; DeepGEMM, csrc/apis/attention.hpp: "Unsupported architecture". TensorRT-LLM, pull request 16224',
  check(deployment) {
    const { model, node, engine } = deployment;
    const capability = computeCapabilityOf(deployment);
    const sparse = model.layers.some(
      ({ attention }) => attention.kind === "mla" && (attention.indexer !== null || attention.compressed !== undefined),
    );
    if (!sparse || capability === null || (capability >= hopper && capability < rtxBlackwell)) return [];
    const noted = capability >= rtxBlackwell && !olderThan(deployment, firstOnRtx[engine.id]!);
    return [
      {
        severity: noted ? "warning" : "refusal",
        at: "hardware.system",
        expected: "GPUs of Hopper, or B200 to GB300",
        found: node.device.id,
        reason: `${engineName(deployment)} has kernels of sparse attention for ${noted ? "RTX Blackwell with an FP8 cache only" : "Hopper and data-centre chips of Blackwell"}`,
      },
    ];
  },
};

export const latentAttention: StartUpRule = {
  about: "latent attention before Ampere",
  engines: ["vllm"],
  says: "noted: its prompts are computed by FlashAttention, which has no kernels there",
  source: "vLLM, issue 34122 (GLM-4.7-Flash on Turing)",
  check(deployment) {
    const { model, node } = deployment;
    const capability = computeCapabilityOf(deployment);
    if (capability === null || capability >= ampere) return [];
    if (model.layers.every(({ attention }) => attention.kind !== "mla")) return [];
    return [
      {
        severity: "warning",
        at: "hardware.system",
        expected: "GPUs of Ampere or later",
        found: node.device.id,
        reason: `${engineName(deployment)} is not known to run latent attention before Ampere`,
      },
    ];
  },
};
