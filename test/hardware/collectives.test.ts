import fc from "fast-check";
import { expect, test } from "vitest";
import { CostModel } from "../../src/hardware/cost.ts";
import { nodeNamed, systemIds } from "../../src/hardware/named-profiles.ts";
import type { CollectiveOp } from "../../src/hardware/op.ts";
import { link, perfect, syntheticDevice, syntheticNode } from "./synthetic-device.ts";

// One byte takes one nanosecond inside the node and ten between nodes.
const slowNetwork = syntheticDevice({ scaleOut: { ...link, bytesPerSecond: 1e8 } });
const model = new CostModel(slowNetwork, syntheticNode(slowNetwork));
const op = (kind: CollectiveOp["kind"], bytes: number, ranks: number, ranksPerNode = 8): CollectiveOp => ({
  kind,
  bytes,
  ranks,
  ranksPerNode,
});

test("ring collectives in a node move (n-1)/n of the buffer, an all-reduce twice", () => {
  expect(model.opNs(op("allGather", 800, 8))).toBeCloseTo(700, 9);
  expect(model.opNs(op("reduceScatter", 800, 8))).toBeCloseTo(700, 9);
  expect(model.opNs(op("allReduce", 800, 8))).toBeCloseTo(1400, 9);
});

test("an all-reduce is a reduce-scatter and an all-gather, apart from the latency", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1e9 }), fc.integer({ min: 2, max: 64 }), (bytes, ranks) => {
      const halves = model.opNs(op("reduceScatter", bytes, ranks)) + model.opNs(op("allGather", bytes, ranks));
      expect(model.opNs(op("allReduce", bytes, ranks)) / halves).toBeCloseTo(1, 9);
    }),
  );
});

test("across nodes a rank moves the node's share of the buffer over its own scale-out link", () => {
  // 16 ranks in 2 nodes of 8: 7/8 of 800 inside at 1 ns a byte, then half of 100 between nodes at 10 ns a byte.
  expect(model.opNs(op("allGather", 800, 16))).toBeCloseTo(700 + 500, 9);
  expect(model.opNs(op("allReduce", 800, 16))).toBeCloseTo(1400 + 1000, 9);
});

test("between nodes bytes take as much longer as the link falls short of its nominal rate", () => {
  const slow = syntheticDevice({ scaleOut: { ...syntheticDevice().scaleOut!, efficiency: 0.8 } });
  const slower = new CostModel(slow, syntheticNode(slow));
  const full = syntheticDevice({ scaleOut: { ...syntheticDevice().scaleOut!, efficiency: 1 } });
  const nominal = new CostModel(full, syntheticNode(full));
  for (const kind of ["allGather", "allReduce", "allToAll"] as const)
    expect(slower.opNs(op(kind, 800, 4, 1))).toBeCloseTo(nominal.opNs(op(kind, 800, 4, 1)) / 0.8, 9);
});

test("ranks that are all on different nodes use only the scale-out link", () => {
  expect(model.opNs(op("allGather", 800, 4, 1))).toBeCloseTo(800 * 0.75 * 10, 9);
});

test("an all-to-all spreads its bytes evenly over near and far peers", () => {
  expect(model.opNs(op("allToAll", 700, 8))).toBeCloseTo(700, 9);
  // 15 peers, 7 near and 8 far.
  expect(model.opNs(op("allToAll", 1500, 16))).toBeCloseTo(700 + 8000, 9);
});

test("latencies are paid once per level that takes part", () => {
  const efficiency = {
    ...perfect,
    collectiveLatencyNs: 10,
    allReduceLatencyNs: 3,
    collectiveLatencyNsScaleOut: 1000,
  };
  const device = syntheticDevice({ efficiency });
  const late = new CostModel(device, syntheticNode(device));
  expect(late.opNs(op("allGather", 8, 8))).toBeCloseTo(10 + 7, 9);
  expect(late.opNs(op("allReduce", 8, 8))).toBeCloseTo(3 + 14, 9);
  expect(late.opNs(op("allToAll", 7, 8))).toBeCloseTo(10 + 7, 9);
  expect(late.opNs(op("allGather", 16, 16))).toBeCloseTo(10 + 14 + 1000 + 1, 9);
});

test("nodes of one rack domain reach each other over the scale-up link", () => {
  const device = syntheticDevice({ scaleUpDomain: 72, scaleOut: null });
  const rack = new CostModel(device, syntheticNode(device, { devicesPerNode: 4 }));
  expect(rack.opNs(op("allGather", 72, 72, 4))).toBeCloseTo(71, 9);
  expect(() => rack.opNs(op("allGather", 72, 144, 4))).toThrow("scale-out link");
});

test("devices without a scale-up link share their host link through the roots", () => {
  const device = syntheticDevice({ scaleUp: null });
  const roots = (hostRoots?: number) =>
    new CostModel(device, syntheticNode(device, hostRoots === undefined ? {} : { hostRoots }));
  expect(roots(8).opNs(op("allGather", 800, 8))).toBeCloseTo(700, 9);
  expect(roots(2).opNs(op("allGather", 800, 8))).toBeCloseTo(4 * 700, 9);
  expect(roots().opNs(op("allGather", 800, 8))).toBeCloseTo(8 * 700, 9);
  expect(roots(2).opNs(op("allGather", 200, 2))).toBeCloseTo(100, 9);
});

test("a device with no link at all refuses to communicate", () => {
  const device = syntheticDevice({ scaleUp: null, hostLink: null });
  const alone = new CostModel(device, syntheticNode(device));
  expect(() => alone.opNs(op("allReduce", 800, 2))).toThrow("a link between devices");
});

test("more bytes are never cheaper on any system without measured maps, and no collective beats its link", () => {
  const kind = fc.constantFrom(
    "allReduce" as const,
    "allGather" as const,
    "reduceScatter" as const,
    "allToAll" as const,
  );
  const systems = systemIds.map(nodeNamed).filter((node) => node.devicesPerNode > 1);
  fc.assert(
    fc.property(
      fc.constantFrom(...systems),
      kind,
      fc.integer({ min: 1, max: 1e9 }),
      fc.integer({ min: 1, max: 1e9 }),
      (node, collective, bytes, extra) => {
        const ranks = node.devicesPerNode;
        const near = node.device.scaleUp ?? node.device.hostLink ?? link;
        const moved = collective === "allToAll" ? bytes : (bytes * (ranks - 1)) / ranks;
        const { kernels, ...device } = node.device;
        const formula = new CostModel(device, node);
        const ns = formula.opNs(op(collective, bytes, ranks, ranks));
        expect(formula.opNs(op(collective, bytes + extra, ranks, ranks))).toBeGreaterThanOrEqual(ns);
        const measured =
          kernels === undefined ? ns : new CostModel(node.device, node).opNs(op(collective, bytes, ranks, ranks));
        expect(Math.min(ns, measured)).toBeGreaterThanOrEqual((moved / near.bytesPerSecond) * 1e9);
      },
    ),
  );
});
