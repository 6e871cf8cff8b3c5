import { describe, expect, test } from "vitest";
import { checkProfile } from "../../src/hardware/check.ts";
import { deviceIds, deviceNamed, deviceProfileNamed } from "../../src/hardware/named-profiles.ts";
import { resolveDevice } from "../../src/hardware/resolve.ts";

const gigabyte = 1e9;
const gibibyte = 2 ** 30;

/** Size on the vendor's label in GB, decimal or binary as the vendor likes. */
const labelled: Readonly<Record<string, number>> = {
  "a100-sxm": 80,
  "ascend-310p-duo": 48,
  "ascend-910b": 64,
  "b200-sxm": 192,
  "b300-sxm": 288,
  gb200: 192,
  "h100-sxm": 80,
  "h200-sxm": 141,
  l40s: 48,
  mi300x: 192,
  mi325x: 256,
  "rtx-4090": 24,
  "rtx-a5000": 24,
  "rtx-pro-6000": 96,
  t4: 16,
};
/** No figure of a driver is published. */
const withoutDriverFigure = ["m2-ultra", "sn40l"];
const accelerators = deviceIds.filter((id) => deviceNamed(id).kind !== "cpu");

describe("memory of accelerators", () => {
  test("is known by label or named as without a driver's figure", () => {
    expect([...Object.keys(labelled), ...withoutDriverFigure].sort()).toEqual([...accelerators].sort());
  });

  test.each(Object.entries(labelled))("%s has what its driver reports, close to its %i GB", (id, size) => {
    const { bytes, reservedBytes } = deviceProfileNamed(id).memory;
    expect(bytes.kind).toBe("measured");
    expect(bytes.source).toMatch(/nvidia-smi|npu-smi|HIP runtime/);
    expect(bytes.value).toBeGreaterThanOrEqual(0.95 * size * gigabyte);
    expect(bytes.value).toBeLessThanOrEqual(size * gibibyte);
    if (reservedBytes !== undefined) expect(reservedBytes.value).toBeLessThan(0.05 * bytes.value);
  });

  test("is, for a process, the driver's total less what the driver keeps", () => {
    expect(deviceNamed("h200-sxm").memoryBytes / gibibyte).toBeCloseTo(139.81, 3);
    expect(deviceProfileNamed("h200-sxm").memory.bytes.value / gibibyte).toBeCloseTo(140.4, 2);
    expect(deviceNamed("mi300x").memoryBytes / gibibyte).toBeCloseTo(191.69, 3);
    expect(deviceNamed("mi325x").memoryBytes / gibibyte).toBeCloseTo(255.69, 3);
  });

  test("may not be kept whole by the driver", () => {
    const profile = deviceProfileNamed("h200-sxm");
    const { bytes } = profile.memory;
    const kept = { ...profile, memory: { ...profile.memory, reservedBytes: bytes } };
    expect(checkProfile(kept)).toMatchObject([{ at: "h200-sxm.memory.reservedBytes", found: bytes.value }]);
    const { reservedBytes: _, ...whole } = profile.memory;
    expect(resolveDevice({ ...profile, memory: whole }).memoryBytes).toBe(bytes.value);
  });
});
