import { join } from "node:path";
import { readKernelSamples } from "../../src/calibrate/kernel-tables/read-samples.ts";
import { expertTable } from "../../src/calibrate/kernel-tables/readers/grouped-gemm.ts";
import type { StorageFormat } from "../../src/core/dtype.ts";
import { kernelValidation } from "../../src/validate/kernels/kernel-validation.ts";
import { rowSamples } from "../kernels/fitted.ts";
import { type CheckLine, checkLine } from "./check-line.ts";

/** Mean error that the maps of H200 may have on the tables they were fitted to, held-out shapes included. */
const mapErrorMax = 0.1;

/** Readers of kernel tables on the recorded tables of H200, against rates computed independently, and the maps of H200. */
export const kernelsCheck = {
  name: "kernels",
  folders: ["kernels"],

  async run(folder: string): Promise<readonly CheckLine[]> {
    const kernels = join(folder, "kernels");
    return [
      ...(await productLines(join(kernels, "parquet", "h200_sxm__gemm__vllm-0.24.0__gemm_perf.parquet"))),
      ...(await expertLines(join(kernels, "moe", "h200_sxm__trtllm-1.3.0rc20.csv.gz"))),
      ...(await exchangeLines(join(kernels, "comm", "h200_sxm__nccl-2.29.2__nccl_perf.csv.gz"))),
      ...(await mapLines(join(kernels, "moe", "h200_sxm__trtllm-1.3.0rc20.csv.gz"))),
    ];
  },
};

/** Highest rate of dense products, TFLOP/s. */
async function productLines(file: string): Promise<CheckLine[]> {
  const samples = await readKernelSamples(file);
  const highest = (format: StorageFormat) =>
    samples.reduce((most, { op, ns }) => {
      if (op.kind !== "gemm" || op.weightFormat !== format) return most;
      return Math.max(most, (2 * op.tokens * op.inputWidth * op.outputWidth) / ns / 1000);
    }, 0);
  return [
    checkLine("highest rate of bf16 products, TFLOP/s", "940", highest("bf16").toFixed(0)),
    checkLine("highest rate of fp8 products, TFLOP/s", "1678", highest("fp8").toFixed(0)),
  ];
}

/** Bandwidth that experts imply under a balanced load of 64 tokens, all of them read, TB/s. */
async function expertLines(file: string): Promise<CheckLine[]> {
  const samples = await rowSamples(file, expertTable);
  const cases = [
    ["mixtral_8x7b", "bfloat16", 8, 2, "4.19"],
    ["qwen3_30b_a3b", "bfloat16", 128, 2, "3.93"],
    ["dsv3_r1", "fp8_block", 256, 1, "4.23"],
  ] as const;
  return cases.map(([model, dtype, experts, bytes, expected]) => {
    const found = samples.find(
      ({ cells }) =>
        cells["model"] === model &&
        cells["dtype"] === dtype &&
        cells["dist"] === "balanced" &&
        [cells["tp"], cells["ep"], cells["tokens"]].join() === "1,1,64",
    );
    const rate =
      found?.op.kind === "groupedGemm" ? (experts * found.op.parametersPerExpert * bytes) / found.ns / 1000 : NaN;
    return checkLine(`weight bandwidth of ${model} ${dtype}, TB/s`, expected, rate.toFixed(2));
  });
}

/** All-to-alls of NCCL among eight GPUs by message, us; sizes in tables are elements of two bytes. */
async function exchangeLines(file: string): Promise<CheckLine[]> {
  const samples = await readKernelSamples(file);
  const cases = [
    [65_536, "9.8"],
    [268_435_456, "1509"],
  ] as const;
  return cases.map(([elements, expected]) => {
    // Half a message of two bytes an element, and int8 ones of as many bytes, are the same operation.
    const found = samples.find(({ shape }) => shape === `allToAll of 8, ${2 * elements} bytes`);
    const us = (found?.ns ?? NaN) / 1000;
    return checkLine(`all-to-all of ${elements} elements, us`, expected, us < 100 ? us.toFixed(1) : us.toFixed(0));
  });
}

async function mapLines(file: string): Promise<CheckLine[]> {
  const { groups } = await kernelValidation([file]);
  const mean = groups[0]?.error.mean ?? NaN;
  return [
    {
      name: "mean error of the maps on experts, TensorRT-LLM",
      expected: `at most ${100 * mapErrorMax} %`,
      found: `${(100 * mean).toFixed(1)} %`,
      ok: mean <= mapErrorMax,
    },
  ];
}
