import fc from "fast-check";
import { expect, test } from "vitest";
import { exchangeIdealNs, farBytes, nearBytes } from "../../src/hardware/cost/exchange.ts";
import { CostModel } from "../../src/hardware/cost.ts";
import type { KernelMap } from "../../src/hardware/kernel-maps.ts";
import type { ExchangeOp } from "../../src/hardware/op.ts";
import { link, perfect, syntheticDevice, syntheticNode } from "./synthetic-device.ts";

const op = (change: Partial<ExchangeOp> = {}): ExchangeOp => ({
  kind: "dispatch",
  library: "deepep",
  mode: "lowLatency",
  tokens: 100,
  hidden: 10,
  topK: 4,
  experts: 64,
  ranks: 8,
  ranksPerNode: 8,
  bytesPerValue: 2,
  ...change,
});

test("in low-latency mode every pair is sent, except those of the rank itself", () => {
  // 100 tokens x 20 bytes x 4 experts; 7 of 8 go to other ranks.
  expect(nearBytes(op())).toBe(7000);
  expect(farBytes(op())).toBe(0);
  // 16 ranks: 7 of 16 near, 8 of 16 far.
  expect(nearBytes(op({ ranks: 16 }))).toBe(3500);
  expect(farBytes(op({ ranks: 16 }))).toBe(4000);
});

test("near, far and own bytes are all the pairs", () => {
  fc.assert(
    fc.property(fc.constantFrom(8, 16, 64, 256), fc.integer({ min: 1, max: 1000 }), (ranks, tokens) => {
      const one = op({ ranks, tokens });
      const own = (tokens * 20 * 4) / ranks;
      expect((nearBytes(one) + farBytes(one) + own) / (tokens * 80)).toBeCloseTo(1, 12);
    }),
  );
});

test("in normal mode a token is sent once to each rank and each node", () => {
  const normal = op({ mode: "normal" });
  // Distinct ranks of 4 picks among 8, by counting every one of the 8^4 outcomes.
  let distinct = 0;
  for (let outcome = 0; outcome < 8 ** 4; outcome++)
    distinct += new Set([outcome % 8, (outcome >> 3) % 8, (outcome >> 6) % 8, (outcome >> 9) % 8]).size / 8 ** 4;
  expect(nearBytes(normal)).toBeCloseTo(100 * 20 * distinct * (7 / 8), 6);
  const nodes = 2 * (1 - 0.5 ** 4);
  expect(farBytes({ ...normal, ranks: 16 })).toBeCloseTo(100 * 20 * nodes * 0.5, 6);
  expect(nearBytes(normal)).toBeLessThan(nearBytes(op()));
});

test("near and far links work side by side, and the slower decides", () => {
  const device = syntheticDevice({ scaleOut: { ...link, bytesPerSecond: 1e8 } });
  expect(exchangeIdealNs(op(), device)).toBeCloseTo(1000 + 7000, 9);
  expect(exchangeIdealNs(op({ ranks: 16 }), device)).toBeCloseTo(1000 + 40_000, 9);
});

test("without maps an exchange costs a latency and its bytes, more tokens more time, one rank none", () => {
  const device = syntheticDevice({ efficiency: { ...perfect, collectiveLatencyNs: 50 } });
  const model = new CostModel(device, syntheticNode(device));
  expect(model.opNs(op())).toBeCloseTo(50 + 7000, 9);
  expect(model.opNs(op({ tokens: 101 }))).toBeGreaterThan(model.opNs(op()));
  expect(model.opNs(op({ ranks: 1 }))).toBe(0);
  expect(model.opNs(op({ tokens: 0 }))).toBe(0);
});

test("each direction and mode has maps of its own", () => {
  const noError = { rows: 1, mean: 0, median: 0, p90: 0, bias: 0 };
  const fit = { tables: [], split: "none", rows: 1, shapes: 1, fitError: noError, heldOutError: null };
  const families = ["dispatchLowLatency", "dispatchNormal", "combineLowLatency", "combineNormal"] as const;
  const maps = families.map((family, i): KernelMap => {
    return { family, launchNs: i + 1, axes: [], efficiency: [1], fit };
  });
  const device = syntheticDevice({ kernels: { device: "synthetic", maps } });
  const model = new CostModel(device, syntheticNode(device));
  const launches = (["dispatch", "combine"] as const).flatMap((kind) =>
    (["lowLatency", "normal"] as const).map((mode) => {
      const one = op({ kind, mode });
      return model.opNs(one) - exchangeIdealNs(one, device);
    }),
  );
  for (const [i, launch] of launches.entries()) expect(launch).toBeCloseTo(i + 1, 6);
});

test("a library's kernels are its own, whichever engine calls them", () => {
  const noError = { rows: 1, mean: 0, median: 0, p90: 0, bias: 0 };
  const fit = { tables: [], split: "none", rows: 1, shapes: 1, fitError: noError, heldOutError: null };
  const map = (engine: string, launchNs: number): KernelMap => {
    return { family: "dispatchNormal", engine, launchNs, axes: [], efficiency: [1], fit };
  };
  const device = syntheticDevice({
    efficiency: { ...perfect, collectiveLatencyNs: 50 },
    kernels: { device: "synthetic", maps: [map("tensorrt-llm", 3), map("sglang", 7)] },
  });
  const ideal = (library: ExchangeOp["library"]) => exchangeIdealNs(op({ mode: "normal", library }), device);
  for (const engine of ["vllm", "sglang", "tensorrt-llm"]) {
    const model = new CostModel(device, syntheticNode(device), engine);
    const ns = (library: ExchangeOp["library"]) => model.opNs(op({ mode: "normal", library }));
    expect(ns("deepep")).toBeCloseTo(ideal("deepep") + 7, 6);
    expect(ns("nvlink")).toBeCloseTo(ideal("nvlink") + 3, 6);
  }
  // Where only one of two was measured, the other keeps the closed form.
  const other = syntheticDevice({
    efficiency: { ...perfect, collectiveLatencyNs: 50 },
    kernels: { device: "synthetic", maps: [map("sglang", 7)] },
  });
  const closed = new CostModel(other, syntheticNode(other)).opNs(op({ mode: "normal", library: "nvlink" }));
  expect(closed).toBeCloseTo(50 + nearBytes(op({ mode: "normal" })), 6);
});

test("a rack domain counts as one node", () => {
  const device = syntheticDevice({ scaleUpDomain: 72, scaleOut: null });
  const model = new CostModel(device, syntheticNode(device, { devicesPerNode: 4 }));
  expect(model.opNs(op({ ranks: 16, ranksPerNode: 4 }))).toBeCloseTo((8000 * 15) / 16, 6);
});
