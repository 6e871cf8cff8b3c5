import { expect, test } from "vitest";
import { nodeNamed } from "../../src/hardware/named-profiles.ts";
import { modelNamed } from "../../src/models/catalogue.ts";
import { expertMappingCandidates } from "../../src/place/mapping-candidates.ts";
import type { SimConfig } from "../../src/sim/config.ts";
import { type Mapping, mappingProblems } from "../../src/sim/mapping.ts";
import { simulate } from "../../src/sim/simulate.ts";
import type { RoutingTable } from "../../src/trace/routing-table.ts";
import { singleDevice, testConfig, testEngine, testNode, testRequests, testRouting, tinyModel } from "../sim/build.ts";

const mixtral = modelNamed("mixtral-8x7b");
const h100 = nodeNamed("h100-sxm-8");

test("the alternatives divide the same devices between whole experts and slices", () => {
  const candidates = expertMappingCandidates(mixtral, h100, { ...singleDevice, tp: 8, ep: 8 });
  expect(candidates.map(({ name }) => name)).toEqual(["TP8", "EP2 x TP4", "EP4 x TP2", "EP8"]);
  expect(candidates[3]!.set).toEqual(["parallel.ep=8", "parallel.etp=1", "parallel.edp=1"]);
  for (const { mapping } of candidates) expect(mappingProblems(mapping, mixtral)).toEqual([]);
  const placed = expertMappingCandidates(mixtral, h100, { ...singleDevice, tp: 2, ep: 2 }, { placed: true });
  expect(placed.map(({ set }) => set.at(-1))).toEqual(["policy.placement=null", "parallel.edp=1"]);
});

test("copies of the experts are alternatives where attention has ranks of its own for each", () => {
  const names = (mapping: Partial<Mapping>) =>
    expertMappingCandidates(mixtral, h100, { ...singleDevice, ...mapping }, { copies: true }).map(({ name }) => name);
  expect(names({ dp: 4, ep: 4 })).toEqual([
    "TP4",
    "EP2 x TP2",
    "EP4",
    "2 copies of TP2",
    "2 copies of EP2",
    "4 copies of all experts",
  ]);
  expect(names({ tp: 4, ep: 4 })).toEqual(["TP4", "EP2 x TP2", "EP4"]);
  expect(expertMappingCandidates(mixtral, h100, singleDevice)).toEqual([]);
});

/** Experts heavy enough that reading their weights decides. */
const model = tinyModel({
  hiddenSize: 1024,
  layers: tinyModel({}, 4, 64, 4).layers.map((layer) => ({
    ...layer,
    feedForward: { ...layer.feedForward, expertWidth: 2048, expertHidden: 1024 } as typeof layer.feedForward,
  })),
});

/** Every token of a layer chooses among the `hot` first experts alone. */
function skewed(hot: number): RoutingTable {
  const table = testRouting(4, hot, 4, 300);
  return { ...table, experts: 64 };
}

/** Time per output token of `clients` clients, ns. */
function tpotNs(
  set: Partial<SimConfig["mapping"]>,
  clients: number,
  table: RoutingTable,
  devicesPerNode: number,
): number {
  const node = testNode({
    memoryBytes: 1e11,
    peak: { bf16: 5e14 },
    scaleUp: { name: "up", bytesPerSecond: 4e11, latencyNs: 500, efficiency: 1 },
  });
  const config = testConfig({
    model,
    node: { ...node, devicesPerNode, device: { ...node.device, scaleUpDomain: devicesPerNode } },
    engine: testEngine({ kernelOverheadNs: 0, stepOverheadNs: 0, sequenceOverheadNs: 0, collectiveFactor: 1 }),
    mapping: { ...singleDevice, ...set },
    routing: { kind: "replay", table, layerMap: [0, 1, 2, 3], start: "random" },
    workload: {
      kind: "open",
      requests: testRequests(Array.from({ length: clients }, () => ({ at: 0, prompt: 8, output: 20 }))),
    },
  });
  const scheduler = { ...config.scheduler, maxSequences: 2048, maxBatchTokens: 8192 };
  const { requests } = simulate({ ...config, scheduler });
  return (requests.lastTokenNs[0]! - requests.firstTokenNs[0]!) / 19;
}

test("on one node, small skewed batches are no slower with slices than with whole experts: the straggler reads most weights", () => {
  // vllm#28887: expert parallelism slower than tensor parallelism on one node.
  for (const clients of [1, 4])
    for (const hot of [8, 16]) {
      const table = skewed(hot);
      const ep = tpotNs({ tp: 8, ep: 8 }, clients, table, 8);
      const tp = tpotNs({ tp: 8, etp: 8 }, clients, table, 8);
      expect(tp, `${clients} clients, ${hot} experts`).toBeLessThanOrEqual(ep);
      expect(ep / tp).toBeGreaterThan(1.2);
    }
});

test("over several nodes with data-parallel attention, large even batches are faster with whole experts", () => {
  const table = testRouting(4, 64, 4, 300);
  const even: RoutingTable = {
    ...table,
    // Row r of every layer chooses r, r + 16, r + 32 and r + 48: four ranks of sixteen.
    ids: table.ids.map((_, i) => (Math.floor(i / 16) + 16 * (i % 4)) % 64),
  };
  for (const clients of [256]) {
    const ep = tpotNs({ dp: 16, ep: 16 }, clients, even, 8);
    const tp = tpotNs({ dp: 16, etp: 16 }, clients, even, 8);
    expect(ep, `${clients} clients`).toBeLessThan(tp);
  }
});
