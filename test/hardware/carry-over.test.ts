import { describe, expect, test } from "vitest";
import { carriedExcess, excessExponent } from "../../src/hardware/carry-over.ts";
import { CostModel } from "../../src/hardware/cost.ts";
import { deviceProfileNamed } from "../../src/hardware/named-profiles.ts";
import type { GemmOp, GroupedGemmOp } from "../../src/hardware/op.ts";
import type { DeviceProfile } from "../../src/hardware/profile-schema.ts";
import { resolveDevice } from "../../src/hardware/resolve.ts";
import { syntheticNode } from "./synthetic-device.ts";

const scaled = (profile: DeviceProfile, bandwidth: number, compute: number): DeviceProfile => ({
  ...profile,
  id: "mine",
  peak: { bf16: { ...profile.peak.bf16, value: profile.peak.bf16.value * compute } },
  memory: {
    ...profile.memory,
    bytesPerSecond: { ...profile.memory.bytesPerSecond, value: profile.memory.bytesPerSecond.value * bandwidth },
  },
});

const product = (tokens: number): GemmOp => ({
  kind: "gemm",
  tokens,
  inputWidth: 4096,
  outputWidth: 4096,
  weightFormat: "bf16",
  math: "bf16",
});
const experts = (tokens: number): GroupedGemmOp => ({
  kind: "groupedGemm",
  pairs: 8 * tokens,
  distinctExperts: Math.min(128, 8 * tokens),
  parametersPerExpert: 3 * 2048 * 768,
  valuesPerPair: 2 * 2048 + 3 * 768,
  shardWidth: 768,
  presentedPairs: 8 * tokens,
  weightFormat: "bf16",
  math: "bf16",
});
const ops = [1, 64, 4096].flatMap((tokens) => [product(tokens), experts(tokens)]);

const timeOn = (profile: DeviceProfile) => {
  const device = resolveDevice(profile);
  const model = new CostModel(device, syntheticNode(device), "vllm");
  return (op: GemmOp | GroupedGemmOp) => model.opNs(op);
};

describe("what a kernel takes beyond its ideal", () => {
  test("stays among processors that are alike, and follows the peaks by a square root between others", () => {
    expect(excessExponent("h100-sxm", "h800")).toBe(0);
    expect(excessExponent("h200-sxm", "h20")).toBe(0.5);
    expect(excessExponent("l40s", "mine")).toBe(0.5);
    expect(carriedExcess(100, 10, 40, 0)).toBe(100);
    expect(carriedExcess(100, 10, 40, 0.5)).toBeCloseTo(200, 9);
    expect(carriedExcess(0, 0, 0, 0.5)).toBe(0);
  });
});

describe("kernels of a relative", () => {
  const source = { ...deviceProfileNamed("h200-sxm"), kernels: "h200-sxm" };

  test("take the same time at the same peaks", () => {
    const [own, carried] = [timeOn(source), timeOn(scaled(source, 1, 1))];
    for (const op of ops) expect(carried(op)).toBeCloseTo(own(op), 4);
  });

  test.each([
    [1, 0.15],
    [0.5, 1],
    [0.5, 0.5],
  ])(
    "at %d of the bandwidth and %d of the arithmetic take longer, by no more than the peaks fall",
    (bandwidth, compute) => {
      const [own, carried] = [timeOn(source), timeOn(scaled(source, bandwidth, compute))];
      for (const op of ops) {
        expect(carried(op)).toBeGreaterThanOrEqual(own(op) * (1 - 1e-9));
        expect(carried(op)).toBeLessThanOrEqual((own(op) / Math.min(bandwidth, compute)) * (1 + 1e-9));
      }
    },
  );

  test("never pass the best share of the peaks that was measured", () => {
    const slow = timeOn(scaled(source, 0.02, 0.02));
    const maps = resolveDevice(source).kernels?.maps ?? [];
    const best = Math.max(...maps.filter(({ family }) => family === "gemm").flatMap(({ efficiency }) => efficiency));
    const { tokens, inputWidth, outputWidth } = product(4096);
    const peakNs = (2 * tokens * inputWidth * outputWidth * 1e9) / (source.peak.bf16.value * 0.02);
    expect(slow(product(4096))).toBeGreaterThanOrEqual(peakNs / best);
  });
});
