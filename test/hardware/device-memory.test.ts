import { describe, expect, test } from "vitest";
import { checkProfile } from "../../src/hardware/check.ts";
import { deviceIds, deviceNamed, deviceProfileNamed } from "../../src/hardware/named-profiles.ts";
import { resolveDevice } from "../../src/hardware/resolve.ts";

const gigabyte = 1e9;
const gibibyte = 2 ** 30;

/** Size on the vendor's label in GB, decimal or binary as the vendor likes. */
const labelled: Readonly<Record<string, number>> = {
  "a100-pcie": 80,
  "a100-pcie-40gb": 40,
  "a100-sxm": 80,
  "a100-sxm-40gb": 40,
  "ascend-310p-duo": 48,
  "ascend-910b": 64,
  "ascend-910c": 64,
  "b200-sxm": 192,
  "b300-sxm": 288,
  gb200: 192,
  gb300: 288,
  "h100-nvl": 94,
  "h100-pcie": 80,
  "h100-sxm": 80,
  h20: 96,
  "h200-sxm": 141,
  l40s: 48,
  mi300x: 192,
  mi325x: 256,
  mi355x: 288,
  "rtx-3060": 12,
  "rtx-3090": 24,
  "rtx-4070": 12,
  "rtx-4080": 16,
  "rtx-4090": 24,
  "rtx-5090": 32,
  "rtx-a5000": 24,
  "rtx-a6000": 48,
  "rtx-pro-6000": 96,
  t4: 16,
};
/** Memory that the GPU shares with the processor. */
const unified = deviceIds.filter((id) => /unified/.test(deviceProfileNamed(id).memory.technology));
/** No figure of a driver is published. */
const withoutDriverFigure = [...unified, "gaudi-3", "h800", "sn40l", "tpu-v6e", "tpu-v7x"];
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

  test.each(unified)("%s shares its memory: no link to the host, and a part that the system keeps", (id) => {
    const { hostLink, memory } = deviceProfileNamed(id);
    expect(hostLink).toBeNull();
    // CUDA counts on all that Linux manages; Metal and Linux on AMD leave a part to the rest of the system.
    if (id === "gb10") return;
    const kept = memory.reservedBytes?.value ?? 0;
    expect(kept).toBeGreaterThan(memory.bytes.value / 8);
    expect(kept).toBeLessThanOrEqual(memory.bytes.value / 3 + gibibyte);
    expect(deviceNamed(id).memoryBytes).toBe(memory.bytes.value - kept);
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
