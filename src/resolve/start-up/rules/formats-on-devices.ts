import { isGgml, type StorageFormat } from "../../../core/dtype.ts";
import type { TensorClass } from "../../../models/spec.ts";
import { ada, ampere, blackwell, hopper, rtxBlackwell, turing } from "../compute-capabilities.ts";
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

/** Tensor classes that a model has, by the formats that they are served in. */
function classesByFormat({ model, formats }: Deployment): ReadonlyMap<StorageFormat, readonly TensorClass[]> {
  const has = new Set<TensorClass>(["attention", "head"]);
  for (const { feedForward } of model.layers) {
    if (feedForward.kind === "dense") has.add("dense");
    if (feedForward.kind !== "moe") continue;
    has.add("experts");
    if (feedForward.sharedWidth > 0) has.add("shared");
    if (feedForward.denseWidth > 0) has.add("dense");
  }
  const found = new Map<StorageFormat, TensorClass[]>();
  for (const tensors of has) found.set(formats[tensors], [...(found.get(formats[tensors]) ?? []), tensors]);
  return found;
}

/** What an engine does with weights of a format on a device; null where there is nothing to say. */
type Verdict = { readonly severity: Finding["severity"]; readonly does: string; readonly hint?: string } | null;

/** Findings on every format of the weights that the device and engine cannot do, one for each. */
function judged(
  deployment: Deployment,
  judge: (format: StorageFormat, classes: readonly TensorClass[]) => Verdict,
): readonly Finding[] {
  const { device } = deployment.node;
  return [...classesByFormat(deployment)].flatMap(([format, classes]): Finding[] => {
    const verdict = judge(format, classes);
    if (verdict === null) return [];
    const { severity, does, hint } = verdict;
    return [
      {
        severity,
        at: `model.dtypes.${classes[0]}`,
        expected: `a format that ${deployment.engine.name} runs on ${device.name}`,
        found: format,
        reason: `${engineName(deployment)} ${does} (${classes.join(", ")})`,
        ...(hint === undefined ? {} : { hint }),
      },
    ];
  });
}

const isFp8 = (format: StorageFormat): boolean => format === "fp8" || format === "fp8_block";

export const tensorrtLlmFormats: StartUpRule = {
  about: "formats on GPUs",
  engines: ["tensorrt-llm"],
  says: "TensorRT-LLM refuses FP8 before Ada, FP8 blocks before Hopper, NVFP4 before Blackwell, MXFP4 before Hopper, NF4 everywhere; FP8 blocks on RTX Blackwell and 4-bit integers on Blackwell are noted",
  source:
    "TensorRT-LLM, docs/source/features/quantization.md, Hardware Support Matrix; pull request 12591 (w4a16_mxfp4 on Hopper); quantization/mode.py, QuantAlgo",
  check(deployment) {
    const capability = computeCapabilityOf(deployment);
    if (capability === null) return [];
    const refused = (what: string, from: string): Verdict => ({
      severity: "refusal",
      does: `runs ${what} on ${from} and later`,
    });
    return judged(deployment, (format) => {
      switch (format) {
        case "fp8":
          return capability < ada ? refused("FP8", "Ada") : null;
        case "fp8_block":
          if (capability < hopper) return refused("FP8 blocks", "Hopper");
          return capability >= rtxBlackwell
            ? { severity: "warning", does: "does not list FP8 blocks on RTX Blackwell" }
            : null;
        case "nvfp4":
          return capability < blackwell ? refused("NVFP4", "Blackwell") : null;
        case "mxfp4":
          return capability < hopper ? refused("MXFP4", "Hopper") : null;
        case "nf4":
          return { severity: "refusal", does: "has no formats of bitsandbytes" };
        case "int4":
        case "int4_g32":
          return capability >= blackwell
            ? { severity: "warning", does: "lists 4-bit integers up to Hopper, not on Blackwell" }
            : null;
        default:
          return null;
      }
    });
  },
};

/** First version of SGLang with Marlin kernels for NVFP4 (pull request 19652, 2026-03). */
const sglangMarlinNvfp4 = [0, 5, 10];

export const sglangFormats: StartUpRule = {
  about: "formats on GPUs",
  engines: ["sglang"],
  says: "SGLang refuses FP8 experts before Ada, and NVFP4 before Blackwell up to 0.5.9; NF4 is noted",
  source:
    "SGLang, issues 12887 and pull request 30681 (open): fused-MoE kernels need fp8e4nv; layers/quantization/modelopt_quant.py, get_min_capability 100 until pull request 19652; pull request 15325 (bitsandbytes)",
  check(deployment) {
    const capability = computeCapabilityOf(deployment);
    if (capability === null) return [];
    const { formats, model } = deployment;
    const fp8Experts = isFp8(formats.experts) && model.layers.some(({ feedForward }) => feedForward.kind === "moe");
    return judged(deployment, (format, classes) => {
      if (fp8Experts && format === formats.experts && capability < ada)
        return {
          severity: "refusal",
          does: 'has no FP8 kernels for experts before Ada: "fp8e4nv not supported in this architecture"',
          hint: "vLLM widens them in Marlin kernels",
        };
      if (format === "nvfp4" && capability < blackwell && olderThan(deployment, sglangMarlinNvfp4))
        return {
          severity: "refusal",
          does: "asks for compute capability 10.0 for NVFP4",
          hint: "engine.version 0.5.10 and later widen the weights in Marlin kernels",
        };
      if (format === "nf4" && classes.includes("experts"))
        return { severity: "warning", does: "is not known to load experts in formats of bitsandbytes" };
      return null;
    });
  },
};

/** Products of 8-bit integers outside of experts run in CUTLASS kernels, which Blackwell has none of. */
export const vllmIntegers: StartUpRule = {
  about: "8-bit integers on Blackwell",
  engines: ["vllm"],
  says: "vLLM refuses int8 weights with int8 activations in attention, dense layers and shared experts on Blackwell",
  source:
    'vLLM, issues 20221 and 54311, pull request 54316 (open): "Int8 not supported on SM100. Use FP8 quantization instead, or run on older arch"; docs/features/quantization/int8.md',
  check(deployment) {
    const capability = computeCapabilityOf(deployment);
    if (capability === null || capability < blackwell) return [];
    return judged(deployment, (format, classes) =>
      format === "int8" && classes.some((tensors) => tensors !== "experts" && tensors !== "head")
        ? {
            severity: "refusal",
            does: "multiplies no 8-bit integers on Blackwell outside of experts",
            hint: "fp8, or an older GPU",
          }
        : null,
    );
  },
};

export const rocmFormats: StartUpRule = {
  about: "NVFP4 on AMD GPUs",
  engines: ["vllm-rocm", "sglang-rocm"],
  says: "noted: kernels for NVFP4 are written for CUDA",
  source:
    "vLLM, vllm/platforms/rocm.py, supported_quantization: petit_nvfp4, for dense layers, and not modelopt_fp4; SGLang, docs/platforms/amd_gpu.md",
  check: (deployment) =>
    judged(deployment, (format) =>
      format === "nvfp4"
        ? {
            severity: "warning",
            does: "is not known to run NVFP4 on ROCm",
            hint: "mxfp4, as releases for AMD GPUs use",
          }
        : null,
    ),
};

export const ascendFormats: StartUpRule = {
  about: "formats on Ascend",
  engines: ["vllm-ascend"],
  says: "vLLM Ascend refuses FP8, NVFP4 and MXFP4 on Atlas A2 and A3, which have no such arithmetic",
  source:
    'vllm-project/vllm-ascend, issue 1526 ("for A2/A3 it\'s a no go") and vllm_ascend/platform.py, supported_quantization',
  check: (deployment) =>
    judged(deployment, (format) =>
      isFp8(format) || format === "nvfp4" || format === "mxfp4" || isGgml(format)
        ? {
            severity: "refusal",
            does: "loads 16-bit and integer weights on Atlas A2 and A3, no others",
            hint: "model.dtypes with int8 for a W8A8 release, or bf16",
          }
        : null,
    ),
};

/** Types of ggml outside of llama.cpp. */
export const ggmlFormats: StartUpRule = {
  about: "types of GGUF files under other engines",
  engines: [...vllmBuilds, ...sglangBuilds, "tensorrt-llm"],
  says: "TensorRT-LLM refuses them; vLLM and SGLang load GGUF files as an experiment, which is noted",
  source:
    "vLLM, docs/features/quantization/gguf.md (experimental, under-optimised); SGLang, --load-format gguf; TensorRT-LLM, quantization/mode.py, QuantAlgo has none",
  check: (deployment) =>
    judged(deployment, (format): Verdict => {
      if (!isGgml(format)) return null;
      if (deployment.engine.id === "tensorrt-llm")
        return { severity: "refusal", does: "has no types of GGUF files", hint: "int4, or llama.cpp" };
      return { severity: "warning", does: "loads GGUF files as an experiment: its kernels for them are not fast" };
    }),
};

/** llama.cpp on Ascend multiplies two of the quantised types itself. */
export const llamaCppOnAscend: StartUpRule = {
  about: "types of GGUF files on Ascend",
  engines: ["llama.cpp"],
  says: "noted: on Ascend llama.cpp multiplies Q4_0, Q8_0 and 16-bit weights; all others on the host's processors",
  source: "llama.cpp, docs/backend/CANN.md, data types supported",
  check(deployment) {
    if (deployment.node.device.platform !== "ascend") return [];
    return judged(deployment, (format) =>
      isGgml(format) && format !== "q4_0" && format !== "q8_0"
        ? {
            severity: "warning",
            does: "multiplies this type on the host's processors, which is not counted",
            hint: "q4_0 or q8_0",
          }
        : null,
    );
  },
};

export const llamaCppFormats: StartUpRule = {
  about: "FP8 and NF4 under llama.cpp",
  engines: ["llama.cpp"],
  says: "noted: GGUF files have no such types",
  source: "llama.cpp, ggml/include/ggml.h, enum ggml_type; convert_hf_to_gguf.py widens FP8 checkpoints",
  check: (deployment) =>
    judged(deployment, (format) =>
      isFp8(format) || format === "nf4"
        ? {
            severity: "warning",
            does: `loads GGUF files, which have no ${format === "nf4" ? "NF4" : "FP8"} type: a converted checkpoint is stored otherwise`,
            hint: "model.dtypes with the formats of the file",
          }
        : null,
    ),
};

/** A model in bfloat16 on a GPU without it. */
export const bf16BeforeAmpere: StartUpRule = {
  about: "bfloat16 before Ampere",
  engines: [...vllmBuilds, ...sglangBuilds],
  says: "noted: computed in float16, as --dtype auto falls back to; --dtype bfloat16 is refused. FP8 and 4-bit floats are noted there too",
  source:
    'vLLM, vllm/config/model.py, _resolve_auto_dtype, and platforms/cuda.py: "Bfloat16 is only supported on GPUs with compute capability of at least 8.0"; quantization methods, get_min_capability 80 before Marlin kernels came to Turing',
  check(deployment) {
    const capability = computeCapabilityOf(deployment);
    if (capability === null || capability < turing || capability >= ampere) return [];
    return judged(deployment, (format) => {
      if (format === "bf16") return { severity: "warning", does: "computes bfloat16 weights in float16 there" };
      if (isFp8(format) || format === "nvfp4" || format === "mxfp4")
        return { severity: "warning", does: "runs this format on Turing in its latest versions only" };
      return null;
    });
  },
};
