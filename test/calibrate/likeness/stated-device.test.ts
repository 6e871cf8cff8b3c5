import { expect, test } from "vitest";
import { statedDevices } from "../../../src/calibrate/likeness/stated-device.ts";
import { deviceIds, deviceNamed } from "../../../src/hardware/named-profiles.ts";

test.each([
  ["NVIDIA H100 80GB HBM3", ["h100-sxm"]],
  ["NVIDIA H100 PCIe", ["h100-pcie"]],
  ["NVIDIA H100 NVL", ["h100-nvl"]],
  ["H100-SXM5-80GB", ["h100-sxm"]],
  ["NVIDIA H200", ["h200-sxm"]],
  ["NVIDIA B200", ["b200-sxm"]],
  ["b200-nv", ["b200-sxm"]],
  ["NVIDIA GB200", ["gb200"]],
  ["NVIDIA A100-SXM4-40GB", ["a100-sxm-40gb"]],
  ["NVIDIA A100 80GB PCIe", ["a100-pcie", "a100-pcie-40gb"]],
  ["NVIDIA L40S", ["l40s"]],
  ["rtx4090", ["rtx-4090"]],
  ["NVIDIA GeForce RTX 4090", ["rtx-4090"]],
  ["AMD Instinct MI300X OAM", ["mi300x"]],
  ["Apple M2 Ultra", ["m2-ultra", "m2-ultra-76"]],
  ["NVIDIA A10G", []],
  ["Tesla V100-SXM2-16GB", []],
  ["AMD Radeon Graphics", null],
  ["accelerator x", null],
  ["node-7", null],
] as const)("%s is %j", (text, ids) => expect(statedDevices(text)).toEqual(ids));

test("every device is among those that its own name or id may mean", () => {
  for (const id of deviceIds) {
    expect(statedDevices(id), id).toContain(id);
    const byName = statedDevices(deviceNamed(id).name);
    if (byName !== null && byName.length > 0) expect(byName, id).toContain(id);
  }
});
