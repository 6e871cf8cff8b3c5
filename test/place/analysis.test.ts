import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { copiesBound } from "../../src/place/copies-bound.ts";
import { layerLoadsOf, wholeBalance } from "../../src/place/judge-map.ts";
import { redundantChoices } from "../../src/place/map-candidates.ts";
import { migrationCost } from "../../src/place/migration-cost.ts";
import { rankTopology } from "../../src/place/rank-topology.ts";
import { rankTraffic } from "../../src/place/rank-traffic.ts";
import { topicMatrix } from "../../src/place/topic-matrix.ts";
import { contiguous } from "../../src/policy/placement/contiguous.ts";
import { eplb } from "../../src/policy/placement/eplb.ts";
import { lpt } from "../../src/policy/placement/lpt.ts";
import type { PlacementInput } from "../../src/policy/placement/placement.ts";
import { rowsOfDomain } from "../../src/trace/rows-of-domain.ts";
import { drawn } from "../drawn.ts";
import { singleDevice, testNode, tinyModel } from "../sim/build.ts";
import { markovRouting, tableOf } from "../trace/markov-routing.ts";

const inputOf = (experts: number, ranks: number, loads: Float64Array, redundant = 0): PlacementInput => ({
  layers: loads.length / experts,
  experts,
  ranks,
  nodes: 1,
  groups: 1,
  physicalExperts: experts + redundant,
  loads,
});
const topology = { ranks: 4, nodes: 2, nodeOf: [0, 0, 1, 1] };
const anyLoads = fc.array(fc.nat(1000), { minLength: 16, maxLength: 16 }).map((loads) => Float64Array.from(loads));

test("on the loads that they were fitted to LPT is never worse than experts in order, and EPLB never below its bound", () => {
  fc.assert(
    fc.property(anyLoads, fc.constantFrom(0, 4, 8), (loads, redundant) => {
      const order = wholeBalance(contiguous.place(inputOf(16, 4, loads)), loads).maxOverMean;
      expect(wholeBalance(lpt.place(inputOf(16, 4, loads)), loads).maxOverMean).toBeLessThanOrEqual(order + 1e-9);
      const copied = wholeBalance(eplb.place(inputOf(16, 4, loads, redundant)), loads).maxOverMean;
      expect(copied).toBeGreaterThanOrEqual(copiesBound(loads, 16, 4, redundant) - 1e-6);
    }),
    { numRuns: drawn(100) },
  );
});

test("a bound falls with copies: the hottest expert's share, by hand", () => {
  const loads = Float64Array.of(6, 1, 1, 0);
  expect(copiesBound(loads, 4, 4, 0)).toBe(3);
  expect(copiesBound(loads, 4, 4, 1)).toBe(1.5);
  expect(copiesBound(loads, 4, 4, 2)).toBe(1);
});

describe("traffic between ranks", () => {
  const table = markovRouting({
    experts: 16,
    topK: 3,
    layers: 2,
    domains: 1,
    sequences: 2,
    sequenceTokens: 30,
    keep: 0.2,
    follow: 0.2,
    seed: 8,
  });

  test("agrees with a count token by token, and its parts add up", () => {
    const map = eplb.place(inputOf(16, 4, layerLoadsOf(table, [0, 1]), 4));
    const found = rankTraffic(contiguous.place(inputOf(16, 4, new Float64Array(32))), table, [0, 1], topology);
    let ranks = 0;
    let nodes = 0;
    let stays = 0;
    const rankOf = (at: number) => Math.floor(table.ids[at]! / 4);
    for (let row = 0; row < 60; row++) {
      const chosen = [0, 1].map((layer) => [0, 1, 2].map((k) => rankOf((row * 2 + layer) * 3 + k)));
      for (const of of chosen) {
        ranks += new Set(of).size;
        nodes += new Set(of.map((rank) => rank >> 1)).size;
      }
      for (const a of chosen[0]!) stays += chosen[1]!.filter((b) => a === b).length;
    }
    expect(found.ranksTouched).toBeCloseTo(ranks / 120, 12);
    expect(found.nodesTouched).toBeCloseTo(nodes / 120, 12);
    expect(found.staysOnRank).toBeCloseTo(stays / (60 * 9), 12);
    for (const { onRank, inNode, betweenNodes, ranksTouched } of [found, rankTraffic(map, table, [0, 1], topology)]) {
      expect(onRank + inNode + betweenNodes).toBeCloseTo(ranksTouched, 12);
      // A sender is on a rank as likely as on any: 1, 1 and 2 of the four ranks.
      expect([inNode / onRank, betweenNodes / onRank].map((value) => Math.round(value * 1e9) / 1e9)).toEqual([1, 2]);
    }
  });

  test("of a token whose experts lie on one rank stays there", () => {
    const same = tableOf(
      Uint8Array.from({ length: 40 }, (_, i) => i % 2),
      { experts: 16, topK: 2, layers: 2, sequenceTokens: 10 },
    );
    const order = contiguous.place(inputOf(16, 4, new Float64Array(32)));
    expect(rankTraffic(order, same, [0, 1], topology)).toMatchObject({
      ranksTouched: 1,
      nodesTouched: 1,
      staysOnRank: 1,
    });
  });
});

test("a migration sends what a rank lacks, from its node first, and takes as long as its busiest rank", () => {
  const input = inputOf(8, 4, new Float64Array(8));
  const from = contiguous.place(input);
  const logicalExperts = from.logicalExperts.slice();
  // Experts 0 and 2 change places inside the first node, expert 1 and 7 between nodes.
  [logicalExperts[0], logicalExperts[2], logicalExperts[1], logicalExperts[7]] = [2, 0, 7, 1];
  // 100 GB/s and 1 us inside the node, 10 GB/s and 5 us between nodes.
  const node = { ...testNode({ scaleUpDomain: 2 }), devicesPerNode: 2 };
  const config = { node, model: tinyModel({}, 1), mapping: { ...singleDevice, dp: 4, ep: 4 } };
  const cost = migrationCost(from, { ...from, logicalExperts }, config, 5e6);
  expect(cost).toEqual({ experts: 4, bytes: 4 * 5e6, ns: 5e3 + 5e5 });
  expect(migrationCost(from, from, config, 5e6)).toEqual({ experts: 0, bytes: 0, ns: 0 });
  // Expert 0 lies on ranks 0 and 3: rank 1 takes it from its own node, over the faster link alone.
  const twice = Uint16Array.of(0, 1, 2, 3, 4, 5, 0, 7);
  const wanted = Uint16Array.of(0, 1, 0, 3, 4, 5, 0, 7);
  const near = migrationCost({ ...from, logicalExperts: twice }, { ...from, logicalExperts: wanted }, config, 5e6);
  expect(near).toEqual({ experts: 1, bytes: 5e6, ns: 1e3 + 5e4 });
});

test("layers of a stage share its links, stages have links of their own, and copies of all experts are all sent theirs", () => {
  const layers = 4;
  const input = { ...inputOf(8, 2, new Float64Array(8 * layers)), layers };
  const from = contiguous.place(input);
  // Experts 0 and 7 change places in every layer.
  const logicalExperts = from.logicalExperts.map((expert) => (expert === 0 ? 7 : expert === 7 ? 0 : expert));
  const node = { ...testNode({ scaleUpDomain: 8 }), devicesPerNode: 8 };
  const setting = { node, model: tinyModel({}, layers) };
  const cost = (mapping: object) =>
    migrationCost(from, { ...from, logicalExperts }, { ...setting, mapping: { ...singleDevice, ...mapping } }, 1e6);
  expect(cost({ dp: 2, ep: 2 })).toEqual({ experts: 8, bytes: 8e6, ns: 1e3 + 4e4 });
  expect(cost({ dp: 2, ep: 2, pp: 2 })).toEqual({ experts: 8, bytes: 8e6, ns: 1e3 + 2e4 });
  expect(cost({ dp: 4, ep: 2, etp: 2 })).toEqual({ experts: 8, bytes: 16e6, ns: 1e3 + 4e4 });
  expect(cost({ dp: 4, ep: 2, edp: 2 })).toEqual({ experts: 8, bytes: 16e6, ns: 1e3 + 4e4 });
});

test("ranks lie on nodes by their devices", () => {
  const node = testNode();
  const two = rankTopology(
    { ep: 8, etp: 1 },
    { ...node, devicesPerNode: 4, device: { ...node.device, scaleUpDomain: 4 } },
  );
  expect(two).toEqual({ ranks: 8, nodes: 2, nodeOf: [0, 0, 0, 0, 1, 1, 1, 1] });
  const wide = rankTopology(
    { ep: 4, etp: 4 },
    { ...node, devicesPerNode: 8, device: { ...node.device, scaleUpDomain: 8 } },
  );
  expect(wide.nodeOf).toEqual([0, 0, 1, 1]);
});

test("redundant experts fill whole ranks, and no rank has more copies than experts", () => {
  expect(redundantChoices(128, 8)).toEqual([0, 8, 32]);
  expect(redundantChoices(8, 4)).toEqual([0, 4, 8]);
  expect(redundantChoices(60, 8)).toEqual([0, 4, 28]);
});

test("a map of a topic is the best of all on it", async () => {
  const table = markovRouting({
    experts: 16,
    topK: 2,
    layers: 2,
    domains: 3,
    sequences: 2,
    sequenceTokens: 100,
    keep: 0.1,
    follow: 0.1,
    seed: 2,
  });
  const topics = table.domains.map((name) => ({ name, table: rowsOfDomain(table, name) }));
  const order = contiguous.place(inputOf(16, 4, new Float64Array(32)));
  const { maxOverMean, current } = await topicMatrix({ policy: "lpt", redundant: 0 }, topics, [0, 1], order, (rows) =>
    Promise.resolve(lpt.place(inputOf(16, 4, layerLoadsOf(rows, [0, 1])))),
  );
  for (let column = 0; column < 3; column++) {
    const values = maxOverMean.map((row) => row[column]!);
    expect(Math.min(...values)).toBe(values[column]);
    expect(current[column]).toBeGreaterThan(values[column]!);
  }
});
