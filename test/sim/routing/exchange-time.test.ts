import { expect, test } from "vitest";
import { contiguous } from "../../../src/policy/placement/contiguous.ts";
import type { Placement } from "../../../src/policy/placement/placement.ts";
import { simulate } from "../../../src/sim/simulate.ts";
import type { RoutingTable } from "../../../src/trace/routing-table.ts";
import { singleDevice, testConfig, testEngine, testNode, testRouting } from "../build.ts";

/** Tokens that choose experts 0 and 1, or 2 and 3, and so on: each pair on ranks of one node where they lie in order. */
function inPairs(): RoutingTable {
  const table = testRouting(4, 8, 2, 300, 1);
  const ids = table.ids.slice();
  for (let i = 0; i < ids.length; i += 2) {
    ids[i] = ids[i]! & ~1;
    ids[i + 1] = ids[i]! | 1;
  }
  return { ...table, ids };
}

const order = contiguous.place({
  layers: 4,
  experts: 8,
  ranks: 8,
  nodes: 1,
  groups: 1,
  physicalExperts: 8,
  loads: null,
});
/** Even experts on the first node, odd ones on the second: each pair on both nodes. */
const apart: Placement = {
  ...order,
  logicalExperts: Uint16Array.from(order.logicalExperts, (_, i) => [0, 2, 4, 6, 1, 3, 5, 7][i % 8]!),
};

function run(placement: Placement | null, devicesPerNode: number, expertExchange: "deepepNormal" | "deepepLowLatency") {
  return simulate(
    testConfig({
      mapping: { ...singleDevice, dp: 8, ep: 8 },
      node: { ...testNode({ scaleUpDomain: devicesPerNode }), devicesPerNode },
      engine: testEngine({ expertExchange }),
      routing: { kind: "replay", table: inPairs(), layerMap: [0, 1, 2, 3], start: "random" },
      placement,
    }),
  );
}

test("experts of a token on one node: half of the nodes per token, fewer bytes between nodes, less time in DeepEP's normal mode", () => {
  const near = run(order, 4, "deepepNormal");
  const far = run(apart, 4, "deepepNormal");
  expect(near.exchange!.nodesPerToken).toBeCloseTo(1, 9);
  expect(far.exchange!.nodesPerToken).toBeCloseTo(2, 9);
  expect(far.exchange!.bytes!.dispatch.far).toBeGreaterThan(near.exchange!.bytes!.dispatch.far);
  expect(far.time.dispatch).toBeGreaterThan(near.time.dispatch);
  expect(far.time.combine).toBeGreaterThan(near.time.combine);
});

test("experts in order take as long as without a placement, in the same time to the nanosecond", () => {
  const [stated, absent] = [run(order, 4, "deepepNormal"), run(null, 4, "deepepNormal")];
  expect(stated.time).toEqual(absent.time);
  expect(stated.requests).toEqual(absent.requests);
});

test("the low-latency mode sends every choice on its own, wherever it lies", () => {
  const [near, far] = [order, apart].map((placement) => run(placement, 4, "deepepLowLatency"));
  expect(far!.time).toEqual(near!.time);
});

test("eight ranks in one node send nothing between nodes", () => {
  const { exchange } = run(apart, 8, "deepepNormal");
  expect(exchange!.nodesPerToken).toBe(1);
  expect(exchange!.bytes!.dispatch.far + exchange!.bytes!.combine.far).toBe(0);
  expect(exchange!.bytes!.dispatch.near).toBeGreaterThan(0);
});
