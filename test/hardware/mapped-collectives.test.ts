import fc from "fast-check";
import { expect, test } from "vitest";
import { collectiveShape } from "../../src/hardware/cost/collective.ts";
import { CostModel } from "../../src/hardware/cost.ts";
import type { KernelMap } from "../../src/hardware/kernel-maps.ts";
import type { CollectiveOp } from "../../src/hardware/op.ts";
import { link, syntheticDevice, syntheticNode } from "./synthetic-device.ts";

const noError = { rows: 1, mean: 0, median: 0, p90: 0, bias: 0 };
const fit = { tables: [], split: "none", rows: 1, shapes: 1, fitError: noError, heldOutError: null };
const axes = [
  { name: "bytes", knots: [1e3, 1e6] },
  { name: "ranks", knots: [2, 8] },
];
const map = (family: KernelMap["family"], launchNs: number, engine?: string): KernelMap => ({
  family,
  ...(engine === undefined ? {} : { engine }),
  launchNs,
  axes,
  // Large messages reach the link, small ones a tenth of it; more ranks lose half.
  efficiency: [0.1, 0.05, 1, 0.5],
  fit,
});
const maps = [
  map("allReduce", 2000, "vllm"),
  map("allReduce", 4000, "nccl"),
  map("allGather", 5000),
  map("reduceScatter", 5000),
  map("allToAll", 6000),
];
const device = syntheticDevice({
  kernels: { device: "synthetic", maps },
  scaleOut: { ...link, bytesPerSecond: 1e8 },
});
const model = new CostModel(device, syntheticNode(device), "vllm");
const op = (kind: CollectiveOp["kind"], bytes: number, ranks: number): CollectiveOp => ({
  kind,
  bytes,
  ranks,
  ranksPerNode: 8,
});

test("inside a node a collective costs its launch, a crossing of a microsecond and the bytes a rank receives", () => {
  expect(model.opNs(op("allReduce", 1e6, 2))).toBeCloseTo(2000 + 1000 + 1e6, 3);
  expect(model.opNs(op("allGather", 1e6, 8))).toBeCloseTo(5000 + 2 * (1000 + (1e6 * 7) / 8), 3);
  expect(model.opNs(op("reduceScatter", 1e6, 8))).toBeCloseTo(5000 + 2 * (1000 + (1e6 * 7) / 8), 3);
  expect(model.opNs(op("allToAll", 1e6, 8))).toBeCloseTo(6000 + 2 * (1000 + 1e6), 3);
});

test("an engine's own all-reduce goes before the library's", () => {
  const plain = new CostModel(device, syntheticNode(device), "nccl");
  expect(plain.opNs(op("allReduce", 1e6, 2)) - model.opNs(op("allReduce", 1e6, 2))).toBeCloseTo(2000, 6);
});

test("beyond the measured sizes efficiency stays: tiny messages approach the latency, huge ones the link", () => {
  expect(model.opNs(op("allReduce", 1, 2))).toBeCloseTo(2000 + 10 * (1000 + 1), 6);
  expect(model.opNs(op("allReduce", 1e9, 2)) / 1e9).toBeCloseTo(1, 5);
});

test("time grows with bytes, and no bytes or one rank take none", () => {
  fc.assert(
    fc.property(
      fc.constantFrom("allReduce", "allGather", "reduceScatter", "allToAll"),
      fc.integer({ min: 1, max: 1e8 }),
      fc.integer({ min: 2, max: 8 }),
      (kind, bytes, ranks) => {
        expect(model.opNs(op(kind, bytes * 1.01, ranks))).toBeGreaterThan(model.opNs(op(kind, bytes, ranks)));
        expect(model.opNs(op(kind, 0, ranks))).toBe(0);
        expect(model.opNs(op(kind, bytes, 1))).toBe(0);
      },
    ),
  );
});

test("across nodes the measured part is the node's, the rest goes over the scale-out link", () => {
  const inside = model.opNs(op("allGather", 1e6, 8));
  expect(model.opNs(op("allGather", 1e6, 16))).toBeCloseTo(inside + (1e6 / 8) * 0.5 * 10, 3);
});

test("the ideal time of an all-reduce is one crossing, as in-switch reduction allows", () => {
  const rates = { device, nsPerByte: 1, nsPerFlop: { bf16: 1, fp8: 1, int8: 1, fp4: 1 } };
  expect(collectiveShape.idealNs(op("allReduce", 800, 8), rates)).toBe(1800);
  expect(collectiveShape.idealNs(op("allGather", 800, 8), rates)).toBe(1700);
});
