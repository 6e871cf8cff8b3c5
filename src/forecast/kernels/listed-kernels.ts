import type { GroupedGemmOp } from "../../hardware/op.ts";
import type { KernelSample } from "./kernel-sample.ts";

interface ListedKernels {
  readonly engine: string;
  readonly model: string;
  readonly formats: readonly GroupedGemmOp["weightFormat"][];
  readonly reason: string;
}

/**
 * Series of the measured expert kernels that a kernel choice spoiled: left out of fits, and reported with and without.
 * Fixed by engine, model and format, never by the size of an error.
 */
export const listedKernels: readonly ListedKernels[] = [
  {
    engine: "tensorrt-llm",
    model: "llama4_scout",
    formats: ["bf16", "fp8"],
    reason: "untuned tactics: on one layout of two the same weights take up to nine times as long",
  },
  {
    engine: "vllm",
    model: "qwen3_235b",
    formats: ["fp8"],
    reason: "a kernel that takes seven times as long as the one of block-scaled fp8",
  },
];

/** The entry a sample falls under; null for most. */
export function listedKernel(sample: KernelSample): ListedKernels | null {
  const { op, engine, shape } = sample;
  if (op.kind !== "groupedGemm") return null;
  const of = (entry: ListedKernels) =>
    entry.engine === engine && shape.startsWith(`${entry.model} `) && entry.formats.includes(op.weightFormat);
  return listedKernels.find(of) ?? null;
}
