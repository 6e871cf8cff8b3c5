import { kernelFormatOf, type MathFormat, type MeasuredFormat } from "../../../core/dtype.ts";
import type { KernelTableReader } from "../kernel-table-reader.ts";
import { commonAt, commonColumns, formatAt, samplesOf } from "./columns.ts";

/** Arithmetic of a product whose weights and activations are both in a format; weight-only formats multiply as bf16. */
const mathOf: Readonly<Record<MeasuredFormat, MathFormat>> = {
  fp32: "bf16",
  fp16: "bf16",
  bf16: "bf16",
  fp8: "fp8",
  fp8_block: "fp8",
  int8: "bf16",
  int4: "bf16",
  int4_g32: "bf16",
  mxfp4: "fp4",
  nvfp4: "fp4",
};

/** Dense products [m, k] x [k, n] (AIConfigurator `gemm_perf`). */
export const gemmTable: KernelTableReader = {
  name: "dense products",
  columns: [...commonColumns, "gemm_dtype", "m", "n", "k"],
  read: (table) =>
    samplesOf(table, (row) => {
      const common = commonAt(table, row);
      const weightFormat = formatAt(table, row, "gemm_dtype");
      const tokens = table.positive(row, "m");
      const outputWidth = table.positive(row, "n");
      const inputWidth = table.positive(row, "k");
      if (common === null || weightFormat === null || tokens === null || outputWidth === null || inputWidth === null)
        return null;
      return {
        ...common,
        family: "gemm",
        op: { kind: "gemm", tokens, inputWidth, outputWidth, weightFormat, math: mathOf[kernelFormatOf(weightFormat)] },
        shape: `${weightFormat} n${outputWidth} k${inputWidth}`,
      };
    }),
};
