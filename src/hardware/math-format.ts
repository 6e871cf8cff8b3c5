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

/**
 * Format of the activations that `weights` are multiplied with on a device: that of the table, or 16 bits where the device
 * lacks the units for block-scaled operands. Processors with dot products of 8-bit integers multiply quantised weights,
 * all but fp8, with activations in such integers, as llama.cpp (Q8_K, Q8_0 and its tables for 4-bit floats) and
 * KTransformers (AMXInt4, AMXInt8) do.
 */
export function activationsFor(weights: StorageFormat, device: Pick<Device, "peak" | "kind">): StorageFormat {
  const { activations, blockScaled, valueBits, number } = storageFormats[weights];
  const quantised = number === "integer" ? valueBits <= 8 : valueBits < 8;
  const given = activations === "fp8" && blockScaled !== true;
  if (device.kind === "cpu" && device.peak.int8 !== undefined && quantised && !given) return "int8";
  return blockScaled === true && device.peak.fp4 === undefined ? "bf16" : activations;
}

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
  const weights = storageFormats[weightFormat];
  const activations = storageFormats[activationFormat];
  const bits = Math.max(weights.valueBits, activations.valueBits);
  if (bits > 8) return "bf16";
  if (activations.number === "integer") return supportedMath(device, "int8");
  // Float activations: integer weights are widened to fp8 first (W4A8 kernels).
  return supportedMath(device, bits <= 4 && weights.number === "float" ? "fp4" : "fp8");
}
