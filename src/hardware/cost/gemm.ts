import { kernelFormatOf, type StorageFormat } from "../../core/dtype.ts";
import type { GemmOp } from "../op.ts";
import { activationBytes, type CostContext, nsPerFlop, type OpCost, roofline, weightValueBytes } from "./context.ts";
import { computedRows, readCost } from "./few-rows.ts";
import { integerProducts } from "./integer-products.ts";
import { idealRoofline, type MappedShape, mappedByFormat, type OpWork } from "./mapped.ts";

/** Weights and activations cross memory once. */
const movedBytes = (op: GemmOp): number =>
  op.inputWidth * op.outputWidth * weightValueBytes(op) +
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

/**
 * Dense products by measured maps where the device has them, else by a roofline: a launch, and the longest of moving,
 * widening and multiplying, about. A few rows take as long as the weights take to be read.
 */
export function gemmCost(context: CostContext): OpCost<GemmOp> {
  const scratch: GemmOp = {
    kind: "gemm",
    tokens: 0,
    inputWidth: 0,
    outputWidth: 0,
    weightFormat: "bf16",
    math: "bf16",
  };
  return integerProducts(context, integerProduct, scratch, usualCost(context));
}

const integerProduct = {
  rows: (op: GemmOp) => op.tokens,
  weights: (op: GemmOp) => op.inputWidth * op.outputWidth,
  activations: (op: GemmOp) => op.tokens * (op.inputWidth + op.outputWidth),
  withRows: (into: GemmOp, op: GemmOp, rows: number) => {
    Object.assign(into, op);
    into.tokens = rows;
    return into;
  },
};

function usualCost(context: CostContext): OpCost<GemmOp> {
  const mapped = mappedByFormat(context, "gemm", gemmShape);
  if (mapped !== null) return (op) => (isEmpty(op) ? 0 : mapped(kernelFormat(op.weightFormat))(op));
  const { device } = context;
  const { gemmCompute, gemmMemory, gemmLaunchNs, tileRows, rooflineNorm } = device.efficiency;
  const perFlop = nsPerFlop(device, gemmCompute);
  const readNs = readCost(device, gemmMemory);
  return (op) => {
    if (isEmpty(op)) return 0;
    const weights = op.inputWidth * op.outputWidth;
    const flops = 2 * weights * computedRows(op.tokens, tileRows);
    const read = readNs(movedBytes(op), weights, op);
    return gemmLaunchNs + roofline(read, flops * perFlop[op.math], rooflineNorm);
  };
}

/**
 * Block-scaled fp8 products take the time of plain fp8 ones. Published tables time the launch from the host at all
 * shapes of a decode step; at shapes where they time the device, the two agree. Quantising the activations is a kernel
 * of its own.
 */
const kernelFormat = (format: StorageFormat): StorageFormat =>
  kernelFormatOf(format) === "fp8_block" ? "fp8" : format;

function isEmpty(op: GemmOp): boolean {
  return !(op.tokens > 0 && op.inputWidth > 0 && op.outputWidth > 0);
}
