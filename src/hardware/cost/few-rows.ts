import { type MathFormat, storageFormats } from "../../core/dtype.ts";
import type { Device } from "../device.ts";
import { supportedMath } from "../math-format.ts";
import type { GemmOp } from "../op.ts";
import { nsPerByte, nsPerSecond, roofline, weightValueBytes } from "./context.ts";

/**
 * Rows that a kernel computes for `rows` of them. It takes the lowest tile that holds them, and vector units where they
 * are few: padding at most doubles the rows, and of many rows it is half of the tallest tile.
 */
export function computedRows(rows: number, tileRows: number): number {
  const padding = tileRows / 2;
  return rows + (padding * rows) / (rows + padding);
}

/** Bits of the operands of an arithmetic. */
const mathBits = { bf16: 16, fp8: 8, int8: 8, fp4: 4 } as const satisfies Record<MathFormat, number>;

/** Time to bring weights in, ns: `bytes` of them and of activations are moved, `weights` of them widened. */
export type ReadCost = (
  bytes: number,
  weights: number,
  op: Pick<GemmOp, "weightFormat" | "bytesPerWeight" | "math">,
) => number;

/**
 * Reading weights, and widening them to the format that is multiplied where they are stored narrower. The vector units
 * widen every weight that is read once, however many rows there are. Weights are never slower than those of the next
 * wider plain format, 8 or 16 bits: an engine would store them so.
 */
export function readCost(device: Device, memoryShare: number): ReadCost {
  const { vectorFlopsPerSecond = Number.POSITIVE_INFINITY, efficiency, peak } = device;
  const perByte = nsPerByte(device, memoryShare);
  const perWeight = (efficiency.dequantiseFlops / vectorFlopsPerSecond) * nsPerSecond;
  return (bytes, weights, op) => {
    const ns = bytes * perByte;
    const { valueBits: bits } = storageFormats[op.weightFormat];
    const multiplied = mathBits[supportedMath(device, op.math)];
    // Units for fp4 take operands of 4 and 8 bits together.
    const native = bits === 4 && multiplied === 8 && peak.fp4 !== undefined;
    if (bits >= multiplied || native) return ns;
    const widerBytes = bytes + weights * ((2 * bits) / 8 - weightValueBytes(op));
    return Math.min(roofline(ns, weights * perWeight, efficiency.rooflineNorm), widerBytes * perByte);
  };
}
