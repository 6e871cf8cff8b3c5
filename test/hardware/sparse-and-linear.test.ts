import { describe, expect, test } from "vitest";
import { CostModel } from "../../src/hardware/cost.ts";
import type { Efficiency } from "../../src/hardware/device.ts";
import { deviceNamed } from "../../src/hardware/named-profiles.ts";
import type { IndexScoresOp, LinearScanOp, SparseLatentOp } from "../../src/hardware/op.ts";
import { scanWork } from "../../src/models/linear-scan.ts";
import { perfect, syntheticDevice, syntheticNode } from "./synthetic-device.ts";

const sparse: SparseLatentOp = {
  kind: "sparseLatent",
  queryTokens: 1000,
  scorePairs: 1000 * 2048,
  cacheTokens: 1000,
  heads: 8,
  tileHeadsMax: Number.POSITIVE_INFINITY,
  widthPerPair: 1088,
  cacheBytesPerToken: 1152,
  math: "bf16",
};
const index: IndexScoresOp = { kind: "indexScores", scorePairs: 5000, cacheTokens: 100, heads: 4, headDim: 128 };
const scan: LinearScanOp = {
  kind: "linearScan",
  tokens: 640,
  longestTokens: 320,
  chunkTokens: 64,
  bytesPerToken: 10,
  flopsPerToken: 1000,
  walkShare: 0.25,
  math: "bf16",
};

/** On 1 TFLOP/s and 1 GB/s. */
function cost(efficiency: Partial<Efficiency> = {}): CostModel {
  const device = syntheticDevice({ efficiency: { ...perfect, ...efficiency } });
  return new CostModel(device, syntheticNode(device));
}

describe("sparse latent attention over prompts", () => {
  const flopsNs = (heads: number) => (2 * sparse.scorePairs * heads * 1088) / 1000;

  test("computes whole tiles of heads", () => {
    expect(cost().opNs(sparse)).toBeCloseTo(flopsNs(8), 3);
    for (const [heads, padded] of [
      [8, 64],
      [64, 64],
      [65, 128],
    ] as const)
      expect(cost({ sparseLatentHeads: 64 }).opNs({ ...sparse, heads })).toBeCloseTo(flopsNs(padded), 3);
    expect(cost({ sparseLatentHeads: 128 }).opNs({ ...sparse, tileHeadsMax: 64 })).toBeCloseTo(flopsNs(64), 3);
  });

  test("gathers the entries of every query, where the device says how fast", () => {
    const gatherNs = sparse.scorePairs * 1152;
    expect(cost({ sparseGatherBytesPerSecond: 1e9 }).opNs(sparse)).toBeCloseTo(Math.max(gatherNs, flopsNs(8)), 3);
  });

  test("no queries take no time", () => {
    expect(cost().opNs({ ...sparse, queryTokens: 0, scorePairs: 0, cacheTokens: 5 })).toBe(0);
  });
});

describe("an indexer", () => {
  test("reads fp8 keys with a scale, or computes; then scores are written once and read twice", () => {
    const scores = 5000 * 12;
    expect(cost().opNs(index)).toBeCloseTo(100 * 132 + scores, 6);
    const busy = { ...index, scorePairs: 5e6 };
    expect(cost().opNs(busy)).toBeCloseTo((2 * 5e6 * 4 * 128) / 1000 + 5e6 * 12, 3);
  });
});

describe("a scan in chunks", () => {
  test("takes its bytes or FLOPs, whatever the lengths, where steps cost nothing", () => {
    expect(cost().opNs(scan)).toBeCloseTo(640 * 10, 6);
    expect(cost().opNs({ ...scan, flopsPerToken: 20_000 })).toBeCloseTo(640 * 20, 6);
  });

  test("the walk takes at least a step for each chunk of the longest sequence", () => {
    expect(cost({ linearScanStepNs: 1000 }).opNs(scan)).toBeCloseTo(0.75 * 6400 + 5 * 1000, 6);
    expect(cost({ linearScanStepNs: 100 }).opNs(scan)).toBeCloseTo(6400, 6);
  });

  test("states of 16 bits stream at their own share", () => {
    const device = cost({ narrowStateMemory: 0.5 });
    expect(device.opNs({ kind: "stateUpdate", bytes: 100, stateFormat: "fp32" })).toBeCloseTo(100, 9);
    expect(device.opNs({ kind: "stateUpdate", bytes: 100, stateFormat: "bf16" })).toBeCloseTo(200, 9);
  });
});

/** Kernels as their authors timed them; sources stand with the figures of the devices. */
describe("published kernel times", () => {
  const of = (id: string) => {
    const device = deviceNamed(id);
    return new CostModel(device, syntheticNode(device));
  };
  const qwen = {
    rule: "delta",
    heads: 64,
    keyHeads: 16,
    keyDim: 128,
    valueDim: 128,
    chunkTokens: 64,
    convolved: 0,
  } as const;
  const work = scanWork(qwen);

  test.each([
    ["h100-sxm", 8192, 8192, 8, 0.259],
    ["h100-sxm", 8192, 4096, 8, 0.184],
    ["h100-sxm", 65_536, 65_536, 8, 1.954],
    ["h100-sxm", 8192, 8192, 64, 1.045],
    ["h100-sxm", 8192, 1024, 64, 1.089],
    ["h100-sxm", 262_144, 8192, 32, 18.08],
    ["b200-sxm", 8192, 8192, 96, 1.492],
    ["b200-sxm", 9216, 1024, 32, 0.553],
    ["b300-sxm", 65_536, 65_536, 8, 2.065],
    ["rtx-pro-6000", 262_144, 8192, 16, 14.3],
  ])(
    "gated delta rule on %s: %i tokens, the longest sequence %i, %i heads: %f ms",
    (id, tokens, longest, heads, ms) => {
      const ns = of(id).opNs({
        ...scan,
        tokens,
        longestTokens: longest,
        bytesPerToken: work.bytes * heads,
        flopsPerToken: work.flops * heads,
        walkShare: work.walkShare,
      });
      expect(Math.abs(ns / 1e6 / ms - 1)).toBeLessThan(0.21);
    },
  );

  test.each([
    ["b200-sxm", 16, 2.673],
    ["h200-sxm", 64, 3.653],
  ])("sparse prompt attention on %s, 8,192 tokens, %i heads: %f ms", (id, heads, ms) => {
    const op = { ...sparse, queryTokens: 8192, scorePairs: 8192 * 2048, cacheTokens: 8192, heads };
    expect(Math.abs(of(id).opNs(op) / 1e6 / ms - 1)).toBeLessThan(0.1);
  });

  test.each([
    [8192, 64, 1.99],
    [16_384, 64, 6.546],
    [16_384, 32, 4.193],
  ])("indexer on H200, %i tokens, %i heads: %f ms", (tokens, heads, ms) => {
    const op = { ...index, scorePairs: (tokens * (tokens + 1)) / 2, cacheTokens: tokens, heads };
    expect(Math.abs(of("h200-sxm").opNs(op) / 1e6 / ms - 1)).toBeLessThan(0.2);
  });
});
