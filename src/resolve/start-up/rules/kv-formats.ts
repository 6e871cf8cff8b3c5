import type { StorageFormat } from "../../../core/dtype.ts";
import { ada, blackwell } from "../compute-capabilities.ts";
import {
  computeCapabilityOf,
  type Deployment,
  engineName,
  type Finding,
  olderThan,
  type StartUpRule,
  sglangBuilds,
  vllmBuilds,
} from "../start-up-rule.ts";

const is16Bit = (format: StorageFormat): boolean => format === "bf16" || format === "fp16";

/** Whether any layer of the model has a cache that grows. */
const cachesKeys = ({ model }: Deployment): boolean =>
  model.layers.some(({ attention }) => attention.kind === "gqa" || attention.kind === "mla");

function finding(deployment: Deployment, severity: Finding["severity"], expected: string, does: string): Finding {
  const reason = `${engineName(deployment)} ${does}`;
  return { severity, at: "model.kvCacheDtype", expected, found: deployment.kvFormat, reason };
}

/** NVFP4 caches came with it. */
const vllmFirstNvfp4 = [0, 25];

export const vllmKvFormats: StartUpRule = {
  about: "formats of the KV cache",
  engines: [...vllmBuilds],
  says: "vLLM refuses NVFP4 before 0.25, and FP8 for latent attention on CUDA GPUs before Ada; noted for others than 16 bits and FP8, which its latest versions have in part",
  source:
    "vLLM, vllm/config/cache.py, CacheDType, and pull request 42890; issues 52202 and 48374 (TritonMLA below compute capability 8.9)",
  check(deployment) {
    const { kvFormat, model } = deployment;
    if (is16Bit(kvFormat) || !cachesKeys(deployment)) return [];
    const capability = computeCapabilityOf(deployment);
    if (kvFormat === "fp8") {
      const latent = model.layers.some(({ attention }) => attention.kind === "mla");
      if (!latent || capability === null || capability >= ada) return [];
      const does = "has no kernels of latent attention on FP8 caches before Ada";
      return [finding(deployment, "refusal", "bf16 or fp16", does)];
    }
    if (kvFormat === "nvfp4" && olderThan(deployment, vllmFirstNvfp4))
      return [finding(deployment, "refusal", "bf16, fp16 or fp8", "has no NVFP4 caches before 0.25")];
    return [
      finding(
        deployment,
        "warning",
        "bf16, fp16 or fp8",
        "has 16-bit and FP8 caches, others in its latest versions only",
      ),
    ];
  },
};

const sglangChoices: readonly StorageFormat[] = ["bf16", "fp16", "fp8", "mxfp4"];

export const sglangKvFormats: StartUpRule = {
  about: "formats of the KV cache",
  engines: [...sglangBuilds],
  says: "SGLang refuses others than 16 bits, FP8 and MXFP4",
  source:
    'SGLang, python/sglang/srt/server_args.py: --kv-cache-dtype auto, fp8_e5m2, fp8_e4m3, bf16, bfloat16, fp4_e2m1 ("only mxfp4")',
  check(deployment) {
    const { kvFormat } = deployment;
    if (sglangChoices.includes(kvFormat) || !cachesKeys(deployment)) return [];
    const choices = sglangChoices.join(", ");
    return [finding(deployment, "refusal", `one of ${choices}`, "has no such choice of --kv-cache-dtype")];
  },
};

export const tensorrtLlmKvFormats: StartUpRule = {
  about: "formats of the KV cache",
  engines: ["tensorrt-llm"],
  says: "TensorRT-LLM refuses others than 16 bits, FP8 and, from Blackwell on, NVFP4",
  source:
    "TensorRT-LLM, pull request 11487 (--kv_cache_dtype auto, fp8, nvfp4) and docs/source/features/quantization.md",
  check(deployment) {
    const { kvFormat } = deployment;
    if (is16Bit(kvFormat) || kvFormat === "fp8" || !cachesKeys(deployment)) return [];
    const capability = computeCapabilityOf(deployment);
    if (kvFormat !== "nvfp4")
      return [finding(deployment, "refusal", "bf16, fp16, fp8 or nvfp4", "has no such choice of --kv_cache_dtype")];
    if (capability === null || capability >= blackwell) return [];
    return [finding(deployment, "refusal", "bf16, fp16 or fp8", "has NVFP4 caches on Blackwell and later")];
  },
};
