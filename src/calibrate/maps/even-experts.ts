import type { StorageFormat } from "../../core/dtype.ts";
import type { Device } from "../../hardware/device.ts";
import { activationsFor, mathFor } from "../../hardware/math-format.ts";
import type { GroupedGemmOp } from "../../hardware/op.ts";
import type { ExpertShape } from "../kernel-tables/expert-shapes.ts";

/** Tokens routed evenly over the experts of one layer, which `ranks` tensor-parallel ranks share. */
export interface EvenExperts {
  readonly shape: ExpertShape;
  readonly tokens: number;
  readonly ranks: number;
}

/** What one of the ranks computes of them in a weight format. */
export function evenExpertOp(
  device: Device,
  { shape, tokens, ranks }: EvenExperts,
  format: StorageFormat,
): GroupedGemmOp {
  const { hidden, width, topK, experts } = shape;
  const shardWidth = width / ranks;
  return {
    kind: "groupedGemm",
    pairs: tokens * topK,
    distinctExperts: experts * (1 - Math.exp(tokens * Math.log1p(-topK / experts))),
    presentedPairs: tokens * topK,
    parametersPerExpert: 3 * hidden * shardWidth,
    shardWidth,
    valuesPerPair: 2 * hidden + 3 * shardWidth,
    weightFormat: format,
    math: mathFor(device, format, activationsFor(format, device)),
  };
}
