import { expect, test } from "vitest";
import { mathFor } from "../../../src/hardware/math-format.ts";
import { deviceIds, deviceNamed } from "../../../src/hardware/named-profiles.ts";
import { activationsFor } from "../../../src/hardware/math-format.ts";

const arithmeticOf = (id: string, format: "mxfp4" | "nvfp4" | "int4"): string => {
  const device = deviceNamed(id);
  return mathFor(device, format, activationsFor(format, device));
};

test.each(deviceIds)("%s multiplies 4-bit weights in its own 4-bit arithmetic, or unpacked to 16 bits", (id) => {
  const { peak } = deviceNamed(id);
  expect(arithmeticOf(id, "nvfp4")).toBe(peak.fp4 === undefined ? "bf16" : "fp4");
  expect(arithmeticOf(id, "mxfp4")).toBe(peak.fp4 === undefined ? "bf16" : "fp8");
  expect(arithmeticOf(id, "int4")).toBe("bf16");
});
