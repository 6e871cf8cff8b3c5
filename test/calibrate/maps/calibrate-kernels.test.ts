import { describe, expect, test } from "vitest";
import type { KernelSample } from "../../../src/calibrate/kernel-tables/kernel-sample.ts";
import { mergeRepeats } from "../../../src/calibrate/kernel-tables/merge-repeats.ts";
import { physicalVerdict } from "../../../src/calibrate/kernel-tables/physical-bound.ts";
import { calibrateKernels } from "../../../src/calibrate/maps/calibrate-kernels.ts";
import { splitHostBound } from "../../../src/calibrate/maps/host-bound.ts";
import { poolMaps } from "../../../src/calibrate/maps/pool-maps.ts";
import { RandomStream } from "../../../src/core/random.ts";
import { gemmShape } from "../../../src/hardware/cost/gemm.ts";
import { nominalRates } from "../../../src/hardware/cost/mapped.ts";
import { CostModel } from "../../../src/hardware/cost.ts";
import type { Device } from "../../../src/hardware/device.ts";
import { deviceNamed } from "../../../src/hardware/named-profiles.ts";
import type { GemmOp } from "../../../src/hardware/op.ts";
import { parseKernelMaps } from "../../../src/hardware/read-profiles.ts";
import { compareAll } from "../../../src/validate/kernels/kernel-errors.ts";
import { usableSamples } from "../../../src/validate/kernels/usable-samples.ts";

const h200 = deviceNamed("h200-sxm");

/** A product as a GPU with a ramp in tokens would time it: `share` of the roofline at best, `floorNs` at least. */
function product(device: Device, op: Partial<GemmOp>, share = 0.8, floorNs = 0): KernelSample {
  const full: GemmOp = {
    kind: "gemm",
    tokens: 64,
    inputWidth: 4096,
    outputWidth: 4096,
    weightFormat: "bf16",
    math: "bf16",
    ...op,
  };
  const idealNs = gemmShape.idealNs(full, nominalRates(device));
  return {
    family: "gemm",
    op: full,
    ns: Math.max(floorNs, 2500 + (idealNs * (full.tokens + 30)) / (share * full.tokens)),
    device: device.id,
    engine: "vllm",
    version: "1.0",
    kernel: `kernel of ${full.weightFormat}`,
    shape: `${full.weightFormat} n${full.outputWidth} k${full.inputWidth}`,
    file: "gemm.parquet",
    row: 1,
  };
}

function products(device: Device, op: Partial<GemmOp> = {}, share = 0.8, floorNs = 0): KernelSample[] {
  const random = new RandomStream(3, "products");
  return Array.from({ length: 600 }, () =>
    product(
      device,
      {
        tokens: Math.round(2 ** (15 * random.uniform())),
        inputWidth: 256 * (1 + random.below(60)),
        outputWidth: 256 * (1 + random.below(60)),
        ...op,
      },
      share,
      floorNs,
    ),
  );
}

describe("calibration of a device", () => {
  const distinct = mergeRepeats(products(h200)).length;
  const calibration = calibrateKernels(products(h200), h200, { date: "2026-01-31" });

  test("gives maps that forecast the kernels they were fitted to", () => {
    const device = { ...h200, kernels: calibration.kernels };
    const model = new CostModel(device, { device, devicesPerNode: 8, tiers: [] });
    const errors = products(h200).map(({ op, ns }) => Math.abs(model.opNs(op) / ns - 1));
    expect(errors.reduce((sum, error) => sum + error, 0) / errors.length).toBeLessThan(0.03);
  });

  test("records tables, day, split and errors, and passes the schema of profiles", () => {
    const [map] = calibration.kernels.maps;
    expect(map?.fit).toMatchObject({
      tables: [{ name: "gemm.parquet", version: "1.0" }],
      date: "2026-01-31",
      rows: distinct,
    });
    expect(map?.fit.heldOutError?.rows).toBeGreaterThan(50);
    expect(map?.fit.heldOutError?.mean).toBeLessThan(0.05);
    expect(parseKernelMaps(JSON.parse(JSON.stringify(calibration.kernels)), "maps.json")).toEqual(calibration.kernels);
  });

  test("names the rows that beat the physical peak, and fits without them", () => {
    const impossible = { ...product(h200, { tokens: 1e4, inputWidth: 16384 }), ns: 1000, row: 77 };
    const [result] = calibrateKernels([...products(h200), impossible], h200).maps;
    expect(result?.refused).toEqual([
      { file: "gemm.parquet", row: 77, reason: expect.stringContaining("the bf16 peak allows no less than") },
    ]);
    expect(result?.rows).toBe(distinct);
  });

  test("kernels with a flat floor from the host take launch time and small shapes from the nearest format", () => {
    const slow = products(h200, { weightFormat: "int8", math: "fp8" }, 0.6, 150_000);
    const both = calibrateKernels([...products(h200, { weightFormat: "fp8", math: "fp8" }), ...slow], h200);
    const [fp8, int8] = both.maps;
    expect(fp8?.hostRows).toBe(0);
    expect(int8?.hostRows).toBeGreaterThan(200);
    expect(int8?.map?.launchNs).toBe(fp8?.map?.launchNs);
    const device = { ...h200, kernels: both.kernels };
    const model = new CostModel(device, { device, devicesPerNode: 8, tiers: [] });
    const small = product(h200, { tokens: 4, weightFormat: "int8", math: "fp8" }, 0.6);
    expect(Math.abs(model.opNs(small.op) / small.ns - 1)).toBeLessThan(0.3);
  });
});

describe("rows that time the host", () => {
  const ideal = ({ op }: KernelSample) => gemmShape.idealNs(op as GemmOp, nominalRates(h200));

  test("are those below one and a half times the floor of a slow kernel", () => {
    const quick = products(h200);
    const slow = products(h200, { weightFormat: "fp8_block", math: "fp8" }, 0.6, 150_000);
    const { device, host } = splitHostBound([...quick, ...slow], ideal);
    expect(host.every(({ op, ns }) => (op as GemmOp).weightFormat === "fp8_block" && ns < 225_001)).toBe(true);
    expect(device.length + host.length).toBe(1200);
    expect(device.filter((sample) => quick.includes(sample))).toHaveLength(600);
  });

  test("are none where a kernel was only measured at large shapes", () => {
    const large = products(h200, {
      tokens: 8192,
      inputWidth: 8192,
      outputWidth: 8192,
      weightFormat: "fp8",
      math: "fp8",
    });
    expect(splitHostBound([...products(h200), ...large], ideal).host).toEqual([]);
  });
});

describe("the physical bound", () => {
  const rates = nominalRates(h200);
  const at = (op: Partial<GemmOp>, ns: number) => physicalVerdict({ ...product(h200, op), ns }, gemmShape, rates);
  // 8192 x 8192 bf16 weights: 134 MB, 28 us at 4.8 TB/s; more than the cache of 50 MiB.
  const wide = { tokens: 1, inputWidth: 8192, outputWidth: 8192 };

  test("is bytes over the peak bandwidth for weights larger than the cache", () => {
    expect(at(wide, 29_000).kind).toBe("possible");
    expect(at(wide, 27_000).kind).toBe("impossible");
  });

  test("allows for a cache that holds all operands", () => {
    expect(at({ tokens: 1, inputWidth: 2048, outputWidth: 2048 }, 1000).kind).toBe("cached");
  });

  test("is FLOPs over the peak arithmetic, cache or not", () => {
    const op = { tokens: 4096, inputWidth: 2048, outputWidth: 2048 };
    const leastNs = ((2 * 4096 * 2048 * 2048) / 989e12) * 1e9;
    expect(at(op, leastNs * 0.98).kind).toBe("impossible");
    expect(at(op, leastNs * 1.02).kind).not.toBe("impossible");
  });
});

describe("a GPU left out", () => {
  const [h100, b200] = [deviceNamed("h100-sxm"), deviceNamed("b200-sxm")];
  const samples = new Map([
    ["h200-sxm", products(h200)],
    ["h100-sxm", products(h100)],
    ["b200-sxm", products(b200, {}, 0.4)],
  ]);

  test("is forecast by maps of its architecture alone", () => {
    expect(poolMaps("gemm", "h100-sxm", samples)?.devices).toEqual(["h200-sxm"]);
    expect(poolMaps("gemm", "b200-sxm", samples)?.devices).toEqual(["h200-sxm", "h100-sxm"]);
    expect(poolMaps("gemm", "h200-sxm", new Map([["h200-sxm", products(h200)]]))).toBeNull();
  });

  test("of another architecture takes as long, in cycles, for as much more work as it is faster", () => {
    const dense = products(deviceNamed("a100-sxm"));
    const fast = deviceNamed("b200-sxm");
    const slow = deviceNamed("a100-sxm");
    const pooled = poolMaps("gemm", "b200-sxm", new Map([["a100-sxm", dense]]));
    const cost = new CostModel({ ...fast, kernels: pooled!.kernels }, { device: fast, devicesPerNode: 8, tiers: [] });
    const [source, target] = [nominalRates(slow), nominalRates(fast)];
    const cycles = slow.clockHz! / fast.clockHz!;
    const errors = dense.map(({ op, ns }) => {
      const product = op as GemmOp;
      const factor = (cycles * gemmShape.idealNs(product, source)) / gemmShape.idealNs(product, target);
      const carried = cost.opNs({ ...product, outputWidth: factor * product.outputWidth });
      return Math.abs(carried / (cycles * ns) - 1);
    });
    expect(errors.reduce((sum, error) => sum + error, 0) / errors.length).toBeLessThan(0.1);
  });

  test("is forecast well when its relatives reach the same shares of their peaks, and badly when they do not", () => {
    const usable = new Map(Array.from(samples, ([id, rows]) => [id, usableSamples(rows, deviceNamed(id))] as const));
    const families = compareAll(usable, "system").map(({ result }) => result);
    const meanOf = (id: string) => families.find(({ device }) => device === id)?.error.mean ?? NaN;
    expect(meanOf("h100-sxm")).toBeLessThan(0.15);
    expect(meanOf("b200-sxm")).toBeGreaterThan(0.3);
    expect(families.find(({ device }) => device === "h100-sxm")?.mapsOf).toEqual(["h200-sxm"]);
  });
});
