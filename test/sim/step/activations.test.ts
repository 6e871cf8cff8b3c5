import { expect, test } from "vitest";
import { kernelFormatOf, type StorageFormat, storageFormatNames, storageFormats } from "../../../src/core/dtype.ts";
import { activationsFor, mathFor } from "../../../src/hardware/math-format.ts";
import { deviceIds, deviceNamed } from "../../../src/hardware/named-profiles.ts";

/** Processors with dot products of 8-bit integers quantise the activations too. */
const unpacked = (id: string) => {
  const { kind, peak } = deviceNamed(id);
  return kind === "cpu" && peak.int8 !== undefined ? "int8" : "bf16";
};

const arithmeticOf = (id: string, format: StorageFormat): string => {
  const device = deviceNamed(id);
  return mathFor(device, format, activationsFor(format, device));
};

test.each(deviceIds)("%s multiplies 4-bit weights in its own 4-bit arithmetic, or unpacked to 16 bits", (id) => {
  const { peak } = deviceNamed(id);
  expect(arithmeticOf(id, "nvfp4")).toBe(peak.fp4 === undefined ? unpacked(id) : "fp4");
  expect(arithmeticOf(id, "mxfp4")).toBe(peak.fp4 === undefined ? unpacked(id) : "fp8");
  expect(arithmeticOf(id, "int4")).toBe(unpacked(id));
});

test.each(deviceIds)("%s unpacks weight-only formats to 16 bits, or to 8 on a processor that adds those up", (id) => {
  expect(arithmeticOf(id, "fp8_a16")).toBe("bf16");
  expect(arithmeticOf(id, "bf16")).toBe("bf16");
  for (const format of [
    "nvfp4_a16",
    "mxfp4_a16",
    "int8_a16",
    "int6",
    "int5",
    "int3",
    "int2",
    "nf4",
    "q8_0",
    "q4_k",
    "iq2_xxs",
  ] as const)
    expect(arithmeticOf(id, format)).toBe(unpacked(id));
});

test("W4A8 multiplies in the 8-bit arithmetic of its activations, and MXFP4 with MXFP4 in 4 bits", () => {
  expect(arithmeticOf("h200-sxm", "int4_fp8")).toBe("fp8");
  expect(arithmeticOf("h200-sxm", "int4_int8")).toBe("int8");
  expect(arithmeticOf("b200-sxm", "mxfp4_a4")).toBe("fp4");
  expect(arithmeticOf("b200-sxm", "mxfp8")).toBe("fp8");
  expect(arithmeticOf("h200-sxm", "mxfp8")).toBe("bf16");
});

test("every row of the table is consistent: scales add to bits, and the kernels that stand in have their own", () => {
  for (const format of storageFormatNames) {
    const { bitsPerValue, valueBits } = storageFormats[format];
    expect(bitsPerValue).toBeGreaterThanOrEqual(valueBits);
    expect(bitsPerValue).toBeLessThanOrEqual(valueBits + 1);
    expect(kernelFormatOf(kernelFormatOf(format))).toBe(kernelFormatOf(format));
  }
});
