import fc from "fast-check";
import { expect, test } from "vitest";
import { groupedGemmShape } from "../../src/hardware/cost/grouped-gemm.ts";
import { nominalRates } from "../../src/hardware/cost/mapped.ts";
import { CostModel } from "../../src/hardware/cost.ts";
import type { KernelMap } from "../../src/hardware/kernel-maps.ts";
import type { GroupedGemmOp } from "../../src/hardware/op.ts";
import { syntheticDevice, syntheticNode } from "./synthetic-device.ts";

const noError = { rows: 1, mean: 0, median: 0, p90: 0, bias: 0 };
const fit = { tables: [], split: "none", rows: 1, shapes: 1, fitError: noError, heldOutError: null };

const op = (change: Partial<GroupedGemmOp> = {}): GroupedGemmOp => ({
  kind: "groupedGemm",
  pairs: 64,
  distinctExperts: 16,
  presentedPairs: 0,
  parametersPerExpert: 1000,
  shardWidth: 10,
  valuesPerPair: 0,
  weightFormat: "bf16",
  math: "bf16",
  ...change,
});

const map = (change: Partial<KernelMap> = {}): KernelMap => ({
  family: "groupedGemm",
  launchNs: 500,
  axes: [],
  efficiency: [0.5],
  fit,
  ...change,
});

const withMaps = (...maps: KernelMap[]) => syntheticDevice({ kernels: { device: "synthetic", maps } });

test("a map adds its launch to the ideal time over its efficiency", () => {
  const device = withMaps(map());
  // 16 experts x 1,000 weights x 2 bytes at 1 byte a nanosecond; 128 FLOP a weight take 8 times less.
  const memory = 16 * 1000 * 2;
  const compute = (2 * 1000 * 64) / 1000;
  const ideal = Math.cbrt(memory ** 3 + compute ** 3);
  expect(new CostModel(device, syntheticNode(device)).opNs(op())).toBeCloseTo(500 + 2 * ideal, 6);
});

test("no pairs cost nothing, with maps and without", () => {
  for (const device of [withMaps(map()), syntheticDevice()])
    expect(new CostModel(device, syntheticNode(device)).opNs(op({ pairs: 0, distinctExperts: 0 }))).toBe(0);
});

test("the map of the engine and format in use decides", () => {
  const device = withMaps(
    map({ engine: "vllm", format: "bf16", launchNs: 1 }),
    map({ engine: "sglang", format: "bf16", launchNs: 2 }),
    map({ engine: "vllm", format: "int4", launchNs: 4 }),
  );
  const launchOf = (engine: string, format: "bf16" | "int4") => {
    const model = new CostModel(device, syntheticNode(device), engine);
    const ideal = groupedGemmShape.idealNs(op({ weightFormat: format }), nominalRates(device));
    return model.opNs(op({ weightFormat: format })) - 2 * ideal;
  };
  expect(launchOf("vllm", "bf16")).toBeCloseTo(1, 6);
  expect(launchOf("sglang", "bf16")).toBeCloseTo(2, 6);
  expect(launchOf("vllm", "int4")).toBeCloseTo(4, 6);
});

test("a map that stands in for a narrow format is never slower than the engine's own of the next wider one", () => {
  const slow = map({ engine: "sglang", format: "fp8", launchNs: 1e6 });
  const own = map({ engine: "vllm", format: "bf16", launchNs: 1 });
  const ns = (maps: KernelMap[], weightFormat: "bf16" | "fp8") => {
    const device = withMaps(...maps);
    return new CostModel(device, syntheticNode(device), "vllm").opNs(op({ weightFormat }));
  };
  expect(ns([slow, own], "fp8")).toBe(ns([own], "bf16"));
  expect(ns([{ ...slow, launchNs: 0 }, own], "fp8")).toBeLessThan(ns([own], "bf16"));
  // Measured on the engine itself it is what it is.
  expect(ns([{ ...slow, engine: "vllm" }, own], "fp8")).toBeGreaterThan(1e6);
});

test("coordinates are pairs an expert, weight bytes, shard width and the pairs passed through for others", () => {
  const at = (change: Partial<GroupedGemmOp>) => groupedGemmShape.axes.map((axis) => axis.of(op(change)));
  expect(at({})).toEqual([4, 32_000, 10, 1]);
  expect(at({ presentedPairs: 256 })[3]).toBe(4);
  expect(at({ presentedPairs: 32 })[3]).toBe(1);
  expect(at({ weightFormat: "fp8" })[1]).toBe(16_000);
});

test("the ideal time is a bound of both weights and arithmetic, and grows with experts and with pairs", () => {
  const rates = nominalRates(syntheticDevice());
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 64 }), fc.integer({ min: 1, max: 1e5 }), (experts, more) => {
      const pairs = experts + more;
      const at = (change: Partial<GroupedGemmOp>) =>
        groupedGemmShape.idealNs(op({ distinctExperts: experts, pairs, ...change }), rates);
      expect(at({})).toBeGreaterThanOrEqual(Math.max(experts * 2000, 2 * pairs) * (1 - 1e-12));
      expect(at({ distinctExperts: experts + 1 })).toBeGreaterThan(at({}));
      expect(at({ pairs: pairs + 1 })).toBeGreaterThan(at({}));
    }),
  );
});

test("the ideal time of mxfp4 weights takes 8-bit arithmetic where the device has 4-bit units", () => {
  const wide = { bf16: 1e12, fp8: 2e12 };
  const large = op({ weightFormat: "mxfp4", pairs: 1e9 });
  const at = (peak: Parameters<typeof syntheticDevice>[0]) =>
    groupedGemmShape.idealNs(large, nominalRates(syntheticDevice(peak)));
  expect(at({ peak: wide }) / at({ peak: { ...wide, fp4: 4e12 } })).toBeCloseTo(2, 6);
});
