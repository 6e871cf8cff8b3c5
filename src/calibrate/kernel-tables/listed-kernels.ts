import type { GroupedGemmOp } from "../../hardware/op.ts";
import type { KernelSample } from "./kernel-sample.ts";

interface ListedKernels {
  readonly engine: string;
  readonly model?: string;
  readonly kernel?: string;
  readonly devices?: readonly string[];
  readonly formats: readonly GroupedGemmOp["weightFormat"][];
  readonly math?: GroupedGemmOp["math"];
  readonly reason: string;
}

/**
 * Series of the measured expert kernels in which another kernel ran than the one a map stands for: left out of fits.
 * Fixed by engine, model, kernel, device and format, never by the size of an error.
 */
const listedKernels: readonly ListedKernels[] = [
  ...["vllm", "sglang", "tensorrt-llm"].map((engine) => ({
    engine,
    devices: ["b200-sxm", "b300-sxm", "gb200", "rtx-pro-6000"],
    formats: ["mxfp4" as const],
    math: "bf16" as const,
    reason: "16-bit activations: where the device multiplies block-scaled formats, deployments use MXFP8 activations",
  })),
  {
    engine: "tensorrt-llm",
    model: "llama4_scout",
    formats: ["bf16", "fp8"],
    reason: "untuned tactics: on one layout of two the same weights take up to nine times as long",
  },
  ...(
    [
      ["moe_torch_flow_cutlass", "nvfp4"],
      ["deepgemm", "fp8_block"],
    ] as const
  ).map(([kernel, format]) => ({
    engine: "tensorrt-llm",
    kernel,
    devices: ["b200-sxm", "b300-sxm", "gb200"],
    formats: [format],
    reason:
      "another back end than the served one: without attention data parallelism recipes set TRTLLM (InferenceX's launch " +
      "scripts), and so does the engine itself for block fp8 (moe_backend AUTO on SM100); vLLM and SGLang run the same " +
      "kernels through FlashInfer, and have tables of them",
  })),
  {
    engine: "vllm",
    kernel: "vllm_modeloptfp8moe_flashinfer_cutlass_flashinferexperts",
    devices: ["h100-sxm", "h200-sxm"],
    formats: ["fp8"],
    reason:
      "another back end than the served one: two to five times the time of the same experts in bf16 at every shape",
  },
  {
    engine: "sglang",
    kernel: "sglang_fused_moe_triton",
    devices: ["h100-sxm", "h200-sxm"],
    formats: ["mxfp4"],
    reason: "weights widened to 16 bits when they are loaded: the kernel reads four times the bytes",
  },
  {
    engine: "sglang",
    kernel: "sglang_fused_moe_triton",
    devices: ["b200-sxm", "b300-sxm", "gb200"],
    formats: ["bf16", "fp8_block"],
    reason: "the fallback of models that the default kernel does not take: Mixtral, Llama 4 in bf16, MiniMax-M2 in fp8",
  },
];

/** Dense products in block fp8: their tables time the launch from the host at every shape of a decode step. */
const blockProducts = "takes the map of plain fp8: its tables time the launch from the host";

/** Attention over an fp8 cache with keys of 192 on Blackwell. */
const wideKeys = "a fallback of the fp8 cache with keys of 192: one head takes longer than sixteen";
const wideKeyDevices: ReadonlySet<string> = new Set(["b200-sxm", "gb200"]);

/**
 * All-reduces of vLLM 0.24 on GB200. B200, B300 and GB300 agree within 6 % on the same links, and NCCL, SGLang and TensorRT-LLM
 * on GB200 with those on GB300.
 */
const ownAllReduce = "another all-reduce than on B200, B300 and GB300: its large messages take 2.5 times as long";

/** Why a sample is no evidence of the map it would belong to; null for most. */
export function listedKernel({ op, engine, shape, kernel, device }: KernelSample): string | null {
  if (op.kind === "gemm") return op.weightFormat === "fp8_block" ? blockProducts : null;
  if (op.kind === "attentionPrefill" || op.kind === "attentionDecode")
    return op.cacheFormat === "fp8" && op.widthPerPair === 384 && wideKeyDevices.has(device) ? wideKeys : null;
  if (op.kind === "allReduce") return engine === "vllm" && device === "gb200" ? ownAllReduce : null;
  if (op.kind !== "groupedGemm") return null;
  const covers = (entry: ListedKernels) =>
    entry.engine === engine &&
    entry.formats.includes(op.weightFormat) &&
    (entry.math === undefined || entry.math === op.math) &&
    (entry.model === undefined || shape.startsWith(`${entry.model} `)) &&
    (entry.kernel === undefined || entry.kernel === kernel) &&
    (entry.devices === undefined || entry.devices.includes(device));
  return listedKernels.find(covers)?.reason ?? null;
}
