import { expect, test } from "vitest";
import { RandomStream } from "../../../src/core/random.ts";
import type { DispatchTopology } from "../../../src/policy/dispatch/dispatch.ts";
import { contiguousMap } from "../../../src/policy/placement/contiguous.ts";
import type { Placement } from "../../../src/policy/placement/placement.ts";
import { moeShape } from "../../../src/sim/mapping.ts";
import { countScales, type ExchangeScales, plainScales } from "../../../src/sim/routing/exchange-scales.ts";
import { ExpectedExperts } from "../../../src/sim/routing/expected-experts.ts";
import { ExpertRanks } from "../../../src/sim/routing/expert-ranks.ts";
import { LayerCall } from "../../../src/sim/routing/layer-call.ts";
import type { RoutingTable } from "../../../src/trace/routing-table.ts";
import { drawnChoice, limited } from "../../models/drawn-routing.ts";
import { testRouting, tinyModel, withoutSome } from "../build.ts";

const ranksOf = ({ sources, devicesPerSource, devicesPerRank }: DispatchTopology): number =>
  (sources * devicesPerSource) / devicesPerRank;

/** Scales of a placement for a table whose layers are replayed in order. */
function scalesOf(table: RoutingTable, placement: Placement, topology: DispatchTopology): ExchangeScales {
  const layerMap = Array.from({ length: table.layers }, (_, layer) => layer);
  const placed = new ExpertRanks(placement, layerMap);
  return countScales(plainScales(table.layers), table, layerMap, placed, topology);
}

/** Every order of some numbers. */
function orders(numbers: readonly number[]): number[][] {
  if (numbers.length === 0) return [[]];
  return numbers.flatMap((first) => orders(numbers.filter((each) => each !== first)).map((rest) => [first, ...rest]));
}

/** Experts in another order of places. */
const reordered = (placement: Placement, order: readonly number[]): Placement => ({
  ...placement,
  logicalExperts: placement.logicalExperts.map((expert) => order[expert] ?? expert),
});

test.each<DispatchTopology>([
  { sources: 4, devicesPerSource: 1, devicesPerRank: 1, devicesPerNode: 2 },
  { sources: 2, devicesPerSource: 2, devicesPerRank: 1, devicesPerNode: 2 },
  { sources: 3, devicesPerSource: 1, devicesPerRank: 1, devicesPerNode: 2 },
  { sources: 5, devicesPerSource: 1, devicesPerRank: 1, devicesPerNode: 5 },
])("over all placements of any tokens the mean scale is one: %j", (topology) => {
  const table = withoutSome(testRouting(2, 5, 3, 20), 0.2);
  const inOrder = contiguousMap(2, 5, ranksOf(topology));
  const all = orders([0, 1, 2, 3, 4]).map((order) => scalesOf(table, reordered(inOrder, order), topology));
  for (const layer of [0, 1])
    for (const link of ["near", "far"] as const)
      expect(all.reduce((sum, scales) => sum + scales[link][layer]!, 0) / all.length).toBeCloseTo(1, 9);
});

const twoNodes: DispatchTopology = { sources: 8, devicesPerSource: 1, devicesPerRank: 1, devicesPerNode: 4 };

test("experts by other numbers, in trace and placement alike, have the same scales", () => {
  const table = testRouting(4, 8, 2, 200);
  const order = [3, 7, 1, 0, 6, 2, 5, 4];
  const inOrder = contiguousMap(4, 8, 8);
  const renamed = { ...table, ids: table.ids.map((id) => order[id]!) };
  expect(scalesOf(renamed, reordered(inOrder, order), twoNodes)).toEqual(scalesOf(table, inOrder, twoNodes));
});

/** Recorded tokens of one layer that a router draws. */
function drawnTable(experts: number, topK: number, groups: { count: number; kept: number } | null): RoutingTable {
  const rng = new RandomStream(5, "drawn table");
  const rows = 8000;
  const tokens = Array.from({ length: rows }, () => drawnChoice(rng, { experts, topK, groups }));
  return { ...testRouting(1, experts, topK, 1), rows, ids: Uint16Array.from(tokens.flat()) };
}

test("evenly picked experts have a scale of one, wherever they lie", () => {
  const table = drawnTable(64, 6, null);
  const inOrder = contiguousMap(1, 64, 8);
  const anywhere = Array.from({ length: 64 }, (_, i) => (i * 37) % 64);
  for (const placement of [inOrder, reordered(inOrder, anywhere)])
    for (const scale of Object.values(scalesOf(table, placement, twoNodes)))
      expect(Math.abs(scale[0] - 1)).toBeLessThan(0.005);
});

test("tokens that a router with groups draws have the scales that are expected of it without a trace", () => {
  const plain = moeShape(tinyModel({}, 1, 64, 6))!;
  const call = new LayerCall(8);
  call.tokens = 100;
  new ExpectedExperts([{ ...plain, router: { ...plain.router, groups: limited } }], 8, 0, 2).route(call);
  const counted = scalesOf(drawnTable(64, 6, limited), contiguousMap(1, 64, 8), twoNodes);
  expect(call.nearScale).toBeLessThan(0.9);
  expect(counted.near[0]! / call.nearScale - 1).toBeCloseTo(0, 2);
  expect(counted.far[0]! / call.farScale - 1).toBeCloseTo(0, 2);
});

test("layers counted anew have the scales of a count from the start, others keep theirs", () => {
  const table = testRouting(4, 8, 2, 200);
  const layerMap = [2, 0, 1, 3];
  const before = new ExpertRanks(contiguousMap(4, 8, 8), layerMap);
  const after = new ExpertRanks(reordered(contiguousMap(4, 8, 8), [0, 2, 4, 6, 1, 3, 5, 7]), layerMap);
  const first = countScales(plainScales(4), table, layerMap, before, twoNodes);
  const whole = countScales(plainScales(4), table, layerMap, after, twoNodes);
  const part = countScales(
    { near: first.near.slice(), far: first.far.slice() },
    table,
    layerMap,
    after,
    twoNodes,
    [1, 3],
  );
  for (const link of ["near", "far"] as const)
    expect([...part[link]]).toEqual([first[link][0], whole[link][1], first[link][2], whole[link][3]]);
});
