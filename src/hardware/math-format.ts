import { type MathFormat, type StorageFormat, storageFormats } from "../core/dtype.ts";
import type { Device } from "./device.ts";

/** The next arithmetic to try when the device has no peak for one. bf16 ends every chain: all devices have it. */
const fallback = { fp4: "fp8", fp8: "bf16", int8: "bf16", bf16: "bf16" } as const satisfies Record<
  MathFormat,
  MathFormat
>;

/** The arithmetic `device` runs in place of `math`: the first it has of fp4 -> fp8 -> bf16, or of int8 -> bf16. */
export function supportedMath(device: Pick<Device, "peak">, math: MathFormat): MathFormat {
  let format = math;
  while (device.peak[format] === undefined && format !== "bf16") format = fallback[format];
  return format;
}

type NumberKind = "float" | "integer";

const kindOf = {
  fp32: "float",
  fp16: "float",
  bf16: "float",
  fp8: "float",
  fp8_block: "float",
  int8: "integer",
  int4: "integer",
  int4_g32: "integer",
  mxfp4: "float",
  nvfp4: "float",
} as const satisfies Record<StorageFormat, NumberKind>;

/**
 * Arithmetic of a product of weights and activations on a device. The wider operand decides: 4-bit weights with 16-bit
 * activations are multiplied as bf16. Integer weights use int8 only with int8 activations. A format that the device
 * lacks falls back as in {@link supportedMath}.
 */
export function mathFor(
  device: Pick<Device, "peak">,
  weightFormat: StorageFormat,
  activationFormat: StorageFormat,
): MathFormat {
  const bits = Math.max(bitsOf(weightFormat), bitsOf(activationFormat));
  if (bits > 8) return "bf16";
  if (kindOf[activationFormat] === "integer") return supportedMath(device, "int8");
  // Float activations: integer weights are widened to fp8 first (W4A8 kernels).
  return supportedMath(device, bits <= 4 && kindOf[weightFormat] === "float" ? "fp4" : "fp8");
}

/** Bits of one value without its scales. */
function bitsOf(format: StorageFormat): number {
  return Math.floor(storageFormats[format].bitsPerValue);
}
