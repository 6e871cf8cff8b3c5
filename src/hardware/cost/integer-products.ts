import { type MathFormat, storageFormats } from "../../core/dtype.ts";
import type { GemmOp } from "../op.ts";
import {
  type CostContext,
  hasOwnKernels,
  nsPerByte,
  nsPerFlop,
  nsPerSecond,
  type OpCost,
  roofline,
} from "./context.ts";
import { computedRows } from "./few-rows.ts";

/** What these kernels have to do for a product. */
interface IntegerProduct<O> {
  /** Rows of the product, or of one expert in it. */
  readonly rows: (op: O) => number;
  readonly weights: (op: O) => number;
  /** Values that the product takes and gives. */
  readonly activations: (op: O) => number;
  /** Makes `into` the same product with `rows` rows, or so many for each expert. */
  readonly withRows: (into: O, op: O, rows: number) => O;
}

type Product = Pick<GemmOp, "weightFormat" | "math">;

/**
 * Products of quantised weights with many rows by an engine's own kernels (llama.cpp's MMQ). Weights come in as fast as for
 * few rows. They are multiplied with activations in 8-bit integers and scaled block by block. Other kernels quantise, gate,
 * weigh and sum activations in 32 bits, each through memory. `others` times products of few rows and of plain weights, and
 * those of devices without a figure for such kernels.
 */
export function integerProducts<O extends Product>(
  { device, ownKernels }: CostContext,
  { rows, weights, activations, withRows }: IntegerProduct<O>,
  scratch: O,
  others: OpCost<O>,
): OpCost<O> {
  const { int8 } = device.peak;
  if (ownKernels === null || int8 === undefined || !hasOwnKernels(device)) return others;
  const { rowsAbove, integerCompute, bytesPerActivation } = ownKernels;
  const { elementwiseMemory, tileRows, rooflineNorm } = device.efficiency;
  const perActivation = bytesPerActivation * nsPerByte(device, elementwiseMemory);
  const ownPerFlop = nsPerSecond / (int8 * integerCompute);
  // No faster than the arithmetic that the operation is said to use: a law of all costs.
  const least = nsPerFlop(device, 1);
  const perFlop = (math: MathFormat) => Math.max(ownPerFlop, least[math]);
  return (op) => {
    const count = rows(op);
    if (!(count > rowsAbove) || storageFormats[op.weightFormat].valueBits > 8) return others(op);
    const fewNs = others(withRows(scratch, op, rowsAbove));
    const readNs = others(withRows(scratch, op, 1));
    const computeNs = 2 * weights(op) * computedRows(count, tileRows) * perFlop(op.math);
    return Math.max(fewNs, roofline(readNs, computeNs, rooflineNorm)) + activations(op) * perActivation;
  };
}
