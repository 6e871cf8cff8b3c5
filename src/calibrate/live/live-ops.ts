import type { GemmOp, GroupedGemmOp } from "../../hardware/op.ts";
import type { LiveShape } from "../measured/live-measurements.ts";

/** A dense float32 product as the cost model knows it; 16-bit and wider arithmetic share one peak there. */
export function productOp(size: {
  readonly tokens: number;
  readonly inputWidth: number;
  readonly outputWidth: number;
}): GemmOp {
  const { tokens, inputWidth, outputWidth } = size;
  return { kind: "gemm", tokens, inputWidth, outputWidth, weightFormat: "fp32", math: "bf16" };
}

/** `count` float32 experts with as many rows each. */
export function expertOp({ hidden, width }: LiveShape, rows: number, count: number): GroupedGemmOp {
  return {
    kind: "groupedGemm",
    pairs: rows * count,
    distinctExperts: count,
    presentedPairs: rows * count,
    parametersPerExpert: 3 * hidden * width,
    shardWidth: width,
    valuesPerPair: 2 * hidden + 3 * width,
    weightFormat: "fp32",
    math: "bf16",
  };
}
