import { expect, test } from "vitest";
import { deviceIdOf } from "../../../src/calibrate/kernel-tables/device-name.ts";

test.each([
  ["h100_sxm", "h100-sxm"],
  ["NVIDIA H100 80GB HBM3", "h100-sxm"],
  ["NVIDIA H100 PCIe", "h100-pcie"],
  ["NVIDIA H100 NVL", "h100-nvl"],
  ["NVIDIA A100-SXM4-80GB", "a100-sxm"],
  ["NVIDIA A100-SXM4-40GB", "a100-sxm-40gb"],
  ["NVIDIA A100 80GB PCIe", "a100-pcie"],
  ["NVIDIA A100-PCIE-40GB", "a100-pcie-40gb"],
  ["NVIDIA H20", "h20"],
  ["NVIDIA GB300", "gb300"],
  ["NVIDIA GeForce RTX 5090", "rtx-5090"],
  ["NVIDIA RTX A6000", "rtx-a6000"],
])("%s is %s", (name, id) => {
  expect(deviceIdOf(name)).toBe(id);
});
