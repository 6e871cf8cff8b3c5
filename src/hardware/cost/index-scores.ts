import { supportedMath } from "../math-format.ts";
import type { IndexScoresOp } from "../op.ts";
import { type CostContext, nsPerByte, nsPerFlop, type OpCost, roofline } from "./context.ts";
import type { OpWork } from "./mapped.ts";

/** An index key: fp8 values with one fp32 scale (DeepGEMM, fp8_mqa_logits). */
const scaleBytes = 4;
/** A score in fp32: written once, read by the two passes of a radix selection. */
const bytesPerScore = 12;

/** Index keys once, and every score. */
export const indexScoresWork: OpWork<IndexScoresOp> = {
  bytes: (op) => op.cacheTokens * (op.headDim + scaleBytes),
  flops: (op) => 2 * op.scorePairs * op.heads * op.headDim,
  math: (_, device) => supportedMath(device, "fp8"),
};

/** The scores of all heads, summed to one per key; then the selection reads them. */
export function indexScoresCost({ device }: CostContext): OpCost<IndexScoresOp> {
  const { elementwiseMemory, attentionPrefillCompute, indexScoresCompute, rooflineNorm } = device.efficiency;
  const perByte = nsPerByte(device, elementwiseMemory);
  const perFlop = nsPerFlop(device, indexScoresCompute ?? attentionPrefillCompute).fp8;
  return (op) => {
    const { bytes, flops } = indexScoresWork;
    return roofline(bytes(op) * perByte, flops(op) * perFlop, rooflineNorm) + op.scorePairs * bytesPerScore * perByte;
  };
}
