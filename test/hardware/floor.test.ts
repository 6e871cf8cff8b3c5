import { expect, test } from "vitest";
import { CostModel } from "../../src/hardware/cost.ts";
import type { Op } from "../../src/hardware/op.ts";
import { link, perfect, syntheticDevice, syntheticNode } from "./synthetic-device.ts";

// A byte and a thousand FLOPs take a nanosecond each at the peaks; every share is a tenth.
const slow = Object.fromEntries(Object.entries(perfect).map(([key, value]) => [key, value === 1 ? 0.1 : value]));
const device = syntheticDevice({
  efficiency: { ...perfect, ...slow, rooflineNorm: 3, tileRows: 128 },
  scaleUp: { ...link, efficiency: 0.1 },
  hostLink: { ...link, latencyNs: 500, efficiency: 0.1 },
});
const model = new CostModel(device, syntheticNode(device));

const weights = { weightFormat: "bf16", math: "bf16" } as const;
const cache = { latent: false, cacheFormat: "bf16", math: "bf16" } as const;

test.each<[string, Op, number]>([
  ["weights read once", { kind: "gemm", tokens: 1, inputWidth: 100, outputWidth: 200, ...weights }, 40_000 + 2 * 300],
  ["FLOPs at the peak", { kind: "gemm", tokens: 1e6, inputWidth: 1e4, outputWidth: 1e4, ...weights }, 2e11],
  [
    "every distinct expert once, and the rows of all pairs",
    {
      kind: "groupedGemm",
      pairs: 8,
      distinctExperts: 4,
      presentedPairs: 64,
      parametersPerExpert: 1000,
      shardWidth: 10,
      valuesPerPair: 50,
      ...weights,
    },
    4 * 2000 + 2 * 8 * 50,
  ],
  [
    "the cache once",
    {
      kind: "attentionDecode",
      sequences: 2,
      queryTokens: 2,
      scorePairs: 2000,
      cacheTokens: 2000,
      heads: 8,
      kvHeads: 4,
      widthPerPair: 128,
      cacheBytesPerToken: 1024,
      ...cache,
    },
    2000 * 1024,
  ],
  [
    "every score of the heads that there are",
    {
      kind: "sparseLatent",
      queryTokens: 10,
      scorePairs: 1e6,
      cacheTokens: 10,
      heads: 8,
      tileHeadsMax: 64,
      widthPerPair: 1000,
      cacheBytesPerToken: 1,
      math: "bf16",
    },
    2 * 1e6 * 8,
  ],
  [
    "index keys with their scales",
    { kind: "indexScores", scorePairs: 10, cacheTokens: 1000, heads: 4, headDim: 60 },
    64_000,
  ],
  [
    "bytes of all tokens of a scan",
    {
      kind: "linearScan",
      tokens: 100,
      longestTokens: 50,
      chunkTokens: 10,
      bytesPerToken: 7,
      flopsPerToken: 70,
      walkShare: 0.5,
      math: "bf16",
    },
    700,
  ],
  ["bytes of a state", { kind: "stateUpdate", bytes: 1000, stateFormat: "bf16" }, 1000],
  ["bytes of memory", { kind: "elementwise", bytes: 1000 }, 1000],
  ["bytes of a link without its latency", { kind: "copy", link: "hostToDevice", bytes: 1000 }, 1000],
  ["one pass of an all-reduce", { kind: "allReduce", bytes: 1000, ranks: 4, ranksPerNode: 8 }, 1000],
  ["what the others hold", { kind: "allGather", bytes: 1000, ranks: 4, ranksPerNode: 8 }, 750],
  ["what is sent to others", { kind: "allToAll", bytes: 1000, ranks: 4, ranksPerNode: 8 }, 1000],
])("the floor is %s", (_, op, floor) => {
  expect(model.floorNs(op)).toBeCloseTo(floor, 6);
  expect(model.opNs(op)).toBeGreaterThan(floor);
});

test("nothing to do has a floor of zero", () => {
  expect(model.floorNs({ kind: "gemm", tokens: 0, inputWidth: 10, outputWidth: 10, ...weights })).toBe(0);
  expect(model.floorNs({ kind: "allReduce", bytes: 1000, ranks: 1, ranksPerNode: 8 })).toBe(0);
});
