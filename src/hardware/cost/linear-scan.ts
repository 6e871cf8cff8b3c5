import type { LinearScanOp } from "../op.ts";
import { type CostContext, nsPerByte, nsPerFlop, type OpCost, roofline } from "./context.ts";
import type { OpWork } from "./mapped.ts";

/** Bytes and FLOPs of the chunked algorithm, kernel by kernel. */
export const linearScanWork: OpWork<LinearScanOp> = {
  bytes: (op) => op.tokens * op.bytesPerToken,
  flops: (op) => op.tokens * op.flopsPerToken,
  math: (op) => op.math,
};

/**
 * Chunks are computed side by side, then walked in order. The walk takes at least its steps: with few heads and
 * sequences most of the device waits for them. A mixer without a state that is handed on has no walk.
 */
export function linearScanCost({ device }: CostContext): OpCost<LinearScanOp> {
  const { elementwiseMemory, attentionPrefillCompute, linearScanCompute, linearScanStepNs, rooflineNorm } =
    device.efficiency;
  const perByte = nsPerByte(device, elementwiseMemory);
  const perFlop = nsPerFlop(device, linearScanCompute ?? attentionPrefillCompute);
  const stepNs = linearScanStepNs ?? 0;
  return (op) => {
    if (op.tokens === 0) return 0;
    const workNs = op.tokens * roofline(op.bytesPerToken * perByte, op.flopsPerToken * perFlop[op.math], rooflineNorm);
    const stepsNs = op.walkShare === 0 ? 0 : (op.longestTokens / op.chunkTokens) * stepNs;
    return workNs * (1 - op.walkShare) + Math.max(workNs * op.walkShare, stepsNs);
  };
}
