import { expect, test } from "vitest";
import { kernelFormatOf, type StorageFormat, storageFormatNames, storageFormats } from "../../../src/core/dtype.ts";
import { activationsFor, mathFor } from "../../../src/hardware/math-format.ts";
import { deviceIds, deviceNamed } from "../../../src/hardware/named-profiles.ts";

const arithmeticOf = (id: string, format: StorageFormat): string => {
  const device = deviceNamed(id);
  return mathFor(device, format, activationsFor(format, device));
};

test.each(deviceIds)("%s multiplies 4-bit weights in its own 4-bit arithmetic, or unpacked to 16 bits", (id) => {
  const { peak } = deviceNamed(id);
  expect(arithmeticOf(id, "nvfp4")).toBe(peak.fp4 === undefined ? "bf16" : "fp4");
  expect(arithmeticOf(id, "mxfp4")).toBe(peak.fp4 === undefined ? "bf16" : "fp8");
  expect(arithmeticOf(id, "int4")).toBe("bf16");
});

test.each(deviceIds)("%s unpacks weight-only formats to 16 bits, whatever units it has", (id) => {
  for (const format of [
    "nvfp4_a16",
    "mxfp4_a16",
    "fp8_a16",
    "int8_a16",
    "int6",
    "int5",
    "int3",
    "int2",
    "nf4",
  ] as const)
    expect(arithmeticOf(id, format)).toBe("bf16");
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
    expect(bitsPerValue).toBeLessThan(valueBits + 1);
    expect(kernelFormatOf(kernelFormatOf(format))).toBe(kernelFormatOf(format));
  }
});
