import { describe, expect, test } from "vitest";
import { catalogue, modelNamed } from "../../src/models/catalogue.ts";
import { aroundScanBytes, scanWork } from "../../src/models/linear-scan.ts";
import type { LinearScan } from "../../src/models/spec.ts";

const delta: LinearScan = {
  rule: "delta",
  heads: 64,
  keyHeads: 16,
  keyDim: 128,
  valueDim: 128,
  chunkTokens: 64,
  convolved: 12_288,
};

describe("work of a prompt token in one state head", () => {
  test("gated delta rule of Qwen3.5: thirteen vectors, three rows of a chunk's matrix, two states a chunk", () => {
    const { bytes, flops, walkShare } = scanWork(delta);
    expect(bytes).toBe(13 * 256 + 768 + 2 * 512);
    expect(flops).toBe(6 * 128 * 128 + 10 * 64 * 128);
    expect(walkShare).toBeCloseTo(1536 / 5120, 12);
  });

  test("a decay per channel moves its gates, and computes the inside of chunks at half the rate", () => {
    const plain = scanWork(delta);
    const gated = scanWork({ ...delta, rule: "channelDelta" });
    expect(gated.bytes - plain.bytes).toBe(22 * 128);
    expect(gated.flops - plain.flops).toBe(10 * 64 * 128);
  });

  test("SSD of Mamba-2: states pass once more, scores are shared by the heads of a group", () => {
    const scan: LinearScan = { ...delta, rule: "decay", heads: 64, keyHeads: 8, valueDim: 64, chunkTokens: 128 };
    const { bytes, flops } = scanWork(scan);
    expect(bytes).toBe(3 * 128 + 16 + 128 + 4 * 4 * 64);
    expect(flops).toBe(2 * 128 * (128 / 8 + 64) + 4 * 128 * 64);
  });

  test("lightning attention: nine vectors through four kernels, four states a chunk, half of its square and half a tile", () => {
    const scan: LinearScan = { ...delta, rule: "lightning", keyHeads: 64, chunkTokens: 256 };
    const { bytes, flops, walkShare } = scanWork(scan);
    const state = (4 * 128 * 128) / 256;
    expect(bytes).toBe(9 * 256 + 4 * state);
    expect(flops).toBe(2 * (128 + 16) * 256 + 4 * 128 * 128);
    expect(walkShare).toBeCloseTo((2 * state) / bytes, 12);
    // A block no longer than a tile is computed whole.
    expect(scanWork({ ...scan, chunkTokens: 16 }).flops).toBe(2 * 16 * 256 + 4 * 128 * 128);
  });

  test("a short convolution gates three values a channel, multiplies with its kernel and walks nowhere", () => {
    const scan: LinearScan = { ...delta, rule: "convolution", heads: 2048, keyDim: 2, valueDim: 1, convolved: 2048 };
    expect(scanWork(scan)).toEqual({ bytes: 6, flops: 6, walkShare: 0 });
  });

  test("longer chunks move fewer states and compute larger squares", () => {
    for (const rule of ["delta", "channelDelta", "decay", "lightning"] as const) {
      const short = scanWork({ ...delta, rule });
      const long = scanWork({ ...delta, rule, chunkTokens: 128 });
      expect(long.flops).toBeGreaterThan(short.flops);
    }
  });

  test("the kernels around it read and write the convolved channels, and gate and norm the outputs", () => {
    expect(aroundScanBytes(delta)).toBe(2 * (2 * 12_288 + 3 * 64 * 128));
  });
});

test("every linear layer of the catalogue: its heads hold its state, and its outputs fit its projections", () => {
  let seen = 0;
  for (const id of Object.keys(catalogue))
    for (const { attention } of modelNamed(id).layers) {
      if (attention.kind !== "linear") continue;
      seen++;
      const { heads, keyDim, valueDim } = attention.scan;
      expect(heads * keyDim * valueDim).toBeLessThanOrEqual(attention.stateValues);
      expect(heads * keyDim * valueDim).toBeGreaterThan(0.8 * attention.stateValues);
      expect(heads * valueDim * modelNamed(id).hiddenSize).toBeLessThan(attention.projectionParameters / 2);
    }
  expect(seen).toBeGreaterThan(50);
});
