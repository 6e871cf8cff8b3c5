import { type MathFormat, type StorageFormat, storageFormats } from "../../core/dtype.ts";
import { refuse } from "../../core/errors.ts";
import { pow } from "../../core/pow.ts";
import type { Device, Node } from "../device.ts";
import { supportedMath } from "../math-format.ts";
import type { GemmOp } from "../op.ts";

export const nsPerSecond = 1e9;
/** Bytes of an activation: 16 bits in memory and on links, whatever the arithmetic of the products. */
export const activationBytes = 2;

/** Bytes of a value in the usual layout of each format. */
export const bytesPerValue = Object.fromEntries(
  Object.entries(storageFormats).map(([format, { bitsPerValue }]) => [format, bitsPerValue / 8]),
) as Readonly<Record<StorageFormat, number>>;

/** Bytes of a weight of an operation: of its own layout, or the usual one of its format. */
export const weightValueBytes = (op: Pick<GemmOp, "weightFormat" | "bytesPerWeight">): number =>
  op.bytesPerWeight ?? bytesPerValue[op.weightFormat];

/** Inputs to the cost of every kind of operation. */
export interface CostContext {
  readonly device: Device;
  readonly node: Node;
  /** Serving engine whose kernels run; null for none in particular. Measured kernels may differ by engine. */
  readonly engineId: string | null;
  /** Kernels of the engine's own, in place of those that maps and profiles of devices know. */
  readonly ownKernels: OwnKernels | null;
}

/**
 * Kernels of an engine's own for products of quantised weights with many rows, and for attention over prompts: figures of
 * the engine's profile.
 */
export interface OwnKernels {
  /** Rows of a product, or of one expert in it, above which its products are those of 8-bit integers. */
  readonly rowsAbove: number;
  /** Share of the int8 peak that these reach. */
  readonly integerCompute: number;
  /** Bytes that cross memory for every value that such a product takes or gives, in kernels beside it. */
  readonly bytesPerActivation: number;
  /** Share of the bf16 peak that attention over prompts reaches. */
  readonly attentionCompute: number;
}

/** Whether figures of an engine's own kernels are in force on a device: they were measured on CUDA GPUs, whose int8 peak is known. */
export const hasOwnKernels = ({ kind, platform, peak }: Pick<Device, "kind" | "platform" | "peak">): boolean =>
  kind === "gpu" && platform === undefined && peak.int8 !== undefined;

/** Time of one operation of a kind, ns. */
export type OpCost<O> = (op: O) => number;

export type NsPerFlop = Readonly<Record<MathFormat, number>>;

/** Nanoseconds per FLOP of each arithmetic at `share` of its peak. One that the device lacks runs as its fallback. */
export function nsPerFlop(device: Device, share: number): NsPerFlop {
  const of = (math: MathFormat): number => {
    const format = supportedMath(device, math);
    const peak = device.peak[format] ?? missing("a bf16 peak", device);
    return nsPerSecond / (peak * share * (device.efficiency.formatCompute?.[format] ?? 1));
  };
  return { bf16: of("bf16"), fp8: of("fp8"), int8: of("int8"), fp4: of("fp4") };
}

/** Nanoseconds per byte of device memory at `share` of the nominal bandwidth. */
export function nsPerByte(device: Device, share: number): number {
  return nsPerSecond / (device.memoryBytesPerSecond * share);
}

/** (memory^norm + compute^norm)^(1/norm). */
export function roofline(memoryNs: number, computeNs: number, norm: number): number {
  const longer = Math.max(memoryNs, computeNs);
  if (longer === 0 || norm === Number.POSITIVE_INFINITY) return longer;
  const ratio = Math.min(memoryNs, computeNs) / longer;
  if (norm === 3) return longer * Math.cbrt(1 + ratio * ratio * ratio);
  return longer * pow(1 + pow(ratio, norm), 1 / norm);
}

export function missing(what: string, device: Device): never {
  refuse({ at: `hardware.${device.id}`, expected: what, found: "none" });
}
