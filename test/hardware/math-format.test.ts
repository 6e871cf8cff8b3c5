import { expect, test } from "vitest";
import type { MathFormat, StorageFormat } from "../../src/core/dtype.ts";
import { mathFor, supportedMath } from "../../src/hardware/math-format.ts";

const of = (...formats: MathFormat[]) => ({ peak: Object.fromEntries(formats.map((format) => [format, 1e12])) });
const blackwell = of("bf16", "fp8", "int8", "fp4");
const hopper = of("bf16", "fp8", "int8");
const ampere = of("bf16", "int8");

test.each<[string, { peak: Partial<Record<MathFormat, number>> }, StorageFormat, StorageFormat, MathFormat]>([
  ["16-bit weights and activations", blackwell, "bf16", "bf16", "bf16"],
  ["weight-only 4 bits", blackwell, "int4", "bf16", "bf16"],
  ["weight-only 8 bits", blackwell, "fp8", "fp16", "bf16"],
  ["fp8 with fp8", blackwell, "fp8_block", "fp8", "fp8"],
  ["nvfp4 with nvfp4", blackwell, "nvfp4", "nvfp4", "fp4"],
  ["mxfp4 weights with fp8 activations", blackwell, "mxfp4", "fp8", "fp8"],
  ["nvfp4 without fp4 units", hopper, "nvfp4", "nvfp4", "fp8"],
  ["nvfp4 with neither fp4 nor fp8 units", ampere, "nvfp4", "nvfp4", "bf16"],
  ["fp8 without fp8 units", ampere, "fp8", "fp8", "bf16"],
  ["W8A8 integers", ampere, "int8", "int8", "int8"],
  ["W8A8 integers without int8 units", of("bf16"), "int8", "int8", "bf16"],
  ["int4 weights with int8 activations", ampere, "int4", "int8", "int8"],
  ["int4 weights with fp8 activations", hopper, "int4", "fp8", "fp8"],
])("%s", (_what, device, weights, activations, expected) => {
  expect(mathFor(device, weights, activations)).toBe(expected);
});

test("the fallback ends in an arithmetic the device has", () => {
  for (const device of [blackwell, hopper, ampere, of("bf16")])
    for (const math of ["bf16", "fp8", "int8", "fp4"] as const)
      expect(device.peak[supportedMath(device, math)]).toBeDefined();
});
