import type { StorageFormat } from "../../core/dtype.ts";
import type { GemmOp } from "../op.ts";
import {
  activationBytes,
  bytesPerValue,
  type CostContext,
  nsPerByte,
  nsPerFlop,
  type OpCost,
  roofline,
} from "./context.ts";
import { idealRoofline, type MappedShape, mappedByFormat, type OpWork } from "./mapped.ts";

/** Weights and activations cross memory once. */
const movedBytes = (op: GemmOp): number =>
  op.inputWidth * op.outputWidth * bytesPerValue[op.weightFormat] +
  activationBytes * op.tokens * (op.inputWidth + op.outputWidth);

const flopsOf = (op: GemmOp): number => 2 * op.tokens * op.inputWidth * op.outputWidth;

/** What every product of the shape has to move and compute. */
export const gemmWork: OpWork<GemmOp> = { bytes: movedBytes, flops: flopsOf, math: (op) => op.math };

/** Over all three sides: whole tiles have to fill all processors in whole waves. No scalar share can express that. */
export const gemmShape: MappedShape<GemmOp> = {
  axes: [
    { name: "tokens", of: (op) => op.tokens },
    { name: "outputWidth", of: (op) => op.outputWidth },
    { name: "inputWidth", of: (op) => op.inputWidth },
  ],
  work: gemmWork,
  idealNs: (op, rates) => idealRoofline(movedBytes(op) * rates.nsPerByte, flopsOf(op) * rates.nsPerFlop[op.math]),
};

/** Dense products by measured maps where the device has them, else by a roofline: compute ramps up with the tokens. */
export function gemmCost(context: CostContext): OpCost<GemmOp> {
  const mapped = mappedByFormat(context, "gemm", gemmShape);
  if (mapped !== null) return (op) => (isEmpty(op) ? 0 : mapped(kernelFormat(op.weightFormat))(op));
  const { device } = context;
  const { gemmCompute, gemmMemory, gemmHalfTokens, rooflineNorm } = device.efficiency;
  const perByte = nsPerByte(device, gemmMemory);
  const perFlop = nsPerFlop(device, gemmCompute);
  return (op) => {
    if (isEmpty(op)) return 0;
    // tokens / (tokens + half) of the peak, written without the division.
    const flops = 2 * op.inputWidth * op.outputWidth * (op.tokens + gemmHalfTokens);
    return roofline(movedBytes(op) * perByte, flops * perFlop[op.math], rooflineNorm);
  };
}

/**
 * Block-scaled fp8 products take the time of plain fp8 ones. Published tables time the launch from the host at all
 * shapes of a decode step; at shapes where they time the device, the two agree. Quantising the activations is a kernel
 * of its own.
 */
const kernelFormat = (format: StorageFormat): StorageFormat => (format === "fp8_block" ? "fp8" : format);

function isEmpty(op: GemmOp): boolean {
  return !(op.tokens > 0 && op.inputWidth > 0 && op.outputWidth > 0);
}
