import { describe, expect, test } from "vitest";
import { linkFamilies } from "../../src/hardware/kernel-maps.ts";
import {
  deviceIds,
  deviceNamed,
  deviceProfileNamed,
  systemIds,
  systemProfileNamed,
} from "../../src/hardware/named-profiles.ts";

/** Bits of the memory bus and Gb/s of each, by data sheet or, for B200, by what the driver reports. */
const bus: Readonly<Record<string, readonly [bits: number, gigabits: number]>> = {
  "a100-pcie": [5120, 3.024],
  "a100-pcie-40gb": [5120, 2.43],
  "a100-sxm": [5120, 3.186],
  "a100-sxm-40gb": [5120, 2.43],
  "b200-sxm": [7680, 7.992],
  gb10: [256, 8.533],
  "gaudi-3": [8192, 3.6],
  "h100-nvl": [6016, 5.238],
  "h100-pcie": [5120, 3.2],
  "h100-sxm": [5120, 5.238],
  h20: [6144, 5.238],
  "h200-sxm": [6144, 6.25],
  h800: [5120, 5.238],
  l40s: [384, 18],
  "m1-max": [512, 6.4],
  "m1-pro": [256, 6.4],
  "m1-ultra": [1024, 6.4],
  "m2-max": [512, 6.4],
  "m2-pro": [256, 6.4],
  "m2-ultra": [1024, 6.4],
  "m2-ultra-76": [1024, 6.4],
  "m3-max": [512, 6.4],
  "m3-max-30": [384, 6.4],
  "m3-pro": [192, 6.4],
  "m3-ultra": [1024, 6.4],
  "m4-max": [512, 8.533],
  "m4-max-32": [384, 8.533],
  "m4-pro": [256, 8.533],
  "m5-max": [512, 9.6],
  "m5-pro": [256, 9.6],
  mi300x: [8192, 5.2],
  mi325x: [8192, 6],
  mi355x: [8192, 8],
  "rtx-3060": [192, 15],
  "rtx-3090": [384, 19.5],
  "rtx-4070": [192, 21],
  "rtx-4080": [256, 22.4],
  "rtx-4090": [384, 21],
  "rtx-5090": [512, 28],
  "rtx-a5000": [384, 16],
  "rtx-a6000": [384, 16],
  "desktop-ddr4": [128, 3.2],
  "epyc-7742": [512, 3.2],
  "epyc-9654": [768, 4.8],
  "ryzen-7950x": [128, 5.2],
  "ryzen-9950x": [128, 5.6],
  "ryzen-ai-max-395": [256, 8],
  t4: [256, 10],
  "xeon-6454s": [512, 4.8],
  "xeon-8470": [512, 4.8],
  "xeon-8570": [512, 5.6],
};

/** Processors that no system has: `hardware.host.processor` of a scenario names them. */
const processorsToChoose = ["xeon-8570", "epyc-9654", "ryzen-9950x"];

describe("figures of a device", () => {
  test.each(Object.entries(bus))("%s has the bandwidth of its bus", (id, [bits, gigabits]) => {
    const ratio = deviceProfileNamed(id).memory.bytesPerSecond.value / ((bits / 8) * gigabits * 1e9);
    // Vendors round: 400 GB/s for 409.6, 6 TB/s for 6.14.
    expect(Math.abs(ratio - 1)).toBeLessThan(0.026);
  });

  test.each(deviceIds)(
    "%s computes at a rate that its memory can feed, and no narrow format slower than a wide one",
    (id) => {
      const { peak, memory, kind } = deviceProfileNamed(id);
      const perByte = peak.bf16.value / memory.bytesPerSecond.value;
      expect(perByte).toBeGreaterThan(kind === "cpu" ? 10 : 20);
      expect(perByte).toBeLessThan(600);
      if (peak.fp8 !== undefined) expect(peak.fp8.value).toBeGreaterThanOrEqual(peak.bf16.value);
      if (peak.fp4 !== undefined) expect(peak.fp4.value).toBeGreaterThan((peak.fp8 ?? peak.bf16).value);
      // B300 and GB300 gave up int8.
      if (peak.int8 !== undefined && !id.includes("b300"))
        expect(peak.int8.value).toBeGreaterThanOrEqual(peak.bf16.value);
    },
  );

  test("are those of no other device", () => {
    const figures = deviceIds.map((id) => {
      const { peak, memory, scaleUp, hostLink } = deviceProfileNamed(id);
      const peaks = [peak.bf16, peak.fp8, peak.int8, peak.fp4].map((format) => format?.value);
      return JSON.stringify([peaks, memory.bytes.value, memory.bytesPerSecond.value, scaleUp, hostLink]);
    });
    expect(deviceIds.filter((_, i) => figures.indexOf(figures[i]!) !== i)).toEqual([]);
  });

  test("of a larger chip of a family are no worse than those of a smaller one", () => {
    const rising = [
      ["m1-pro", "m1-max", "m1-ultra"],
      ["m2-pro", "m2-max", "m2-ultra", "m2-ultra-76"],
      ["m3-pro", "m3-max-30", "m3-max", "m3-ultra"],
      ["m4-pro", "m4-max-32", "m4-max"],
      ["m5-pro", "m5-max"],
      ["rtx-4070", "rtx-4080", "rtx-4090", "rtx-5090"],
      ["mi300x", "mi325x", "mi355x"],
      ["a100-sxm-40gb", "a100-sxm"],
      ["h100-pcie", "h800", "h200-sxm"],
    ];
    for (const family of rising)
      for (const [i, id] of family.slice(1).entries()) {
        const [small, large] = [deviceNamed(family[i]!), deviceNamed(id)];
        expect(large.peak.bf16, id).toBeGreaterThanOrEqual(small.peak.bf16!);
        expect(large.memoryBytesPerSecond, id).toBeGreaterThanOrEqual(small.memoryBytesPerSecond);
      }
  });

  test("every device is sold in a system, and systems differ", () => {
    const nodes = systemIds.map(systemProfileNamed);
    const sold = (id: string) => nodes.some(({ device, host }) => device === id || host?.processor === id);
    expect(deviceIds.filter((id) => !sold(id))).toEqual(processorsToChoose);
    const devices = nodes.map(({ device, devicesPerNode }) => `${devicesPerNode.value} x ${device}`);
    expect(new Set(devices).size).toBe(devices.length);
  });
});

describe("kernels of a relative", () => {
  const inherited = deviceIds.flatMap((id) => {
    const device = deviceNamed(id);
    return (device.kernels?.maps ?? []).flatMap((map) => (map.from === undefined ? [] : [{ device, map }]));
  });

  test("that pass between devices come from one that meets its kind alike", () => {
    expect(inherited.length).toBeGreaterThan(100);
    for (const { device, map } of inherited) {
      if (!linkFamilies.has(map.family)) continue;
      expect(deviceNamed(map.from!).scaleUp === null, `${device.id} ${map.family}`).toBe(device.scaleUp === null);
    }
    const from = (id: string, family: string) =>
      inherited.find(({ device, map }) => device.id === id && map.family === family)?.map.from;
    expect(from("h100-pcie", "gemm")).toBe("h100-sxm");
    expect(from("h100-pcie", "allReduce")).toBe("rtx-pro-6000");
    expect(from("a100-pcie", "allReduce")).toBe("l40s");
  });

  test("are taken by family and engine, each from the first that has it", () => {
    const maps = deviceNamed("gb300").kernels?.maps ?? [];
    const of = (family: string, engine?: string) =>
      new Set(maps.filter((map) => map.family === family && map.engine === engine).map((map) => map.from ?? "gb300"));
    expect(of("allReduce", "vllm")).toEqual(new Set(["gb300"]));
    expect(of("dispatchNormal", "sglang")).toEqual(new Set(["gb300"]));
    expect(of("dispatchNormal", "tensorrt-llm")).toEqual(new Set(["gb200"]));
    expect(of("groupedGemm", "vllm")).toEqual(new Set(["b300-sxm"]));
    expect(of("gemm")).toEqual(new Set(["gb200"]));
  });
});
