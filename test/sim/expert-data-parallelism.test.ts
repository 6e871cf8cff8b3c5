import fc from "fast-check";
import { expect, test } from "vitest";
import { expertExchanges } from "../../src/engine/exchange/expert-exchange.ts";
import type { SimConfig } from "../../src/sim/config.ts";
import type { RankStep } from "../../src/sim/dp-rank.ts";
import type { Mapping } from "../../src/sim/mapping.ts";
import { GroupRows } from "../../src/sim/routing/group-rows.ts";
import { RoutingReplay } from "../../src/sim/routing/routing-replay.ts";
import { simulate } from "../../src/sim/simulate.ts";
import { drawn } from "../drawn.ts";
import { singleDevice, testConfig, testEngine, testNode, testRequests, testRouting } from "./build.ts";

const degrees = (parts: Partial<Mapping>): Mapping => ({ ...singleDevice, ...parts });

/** A copy of the experts with its attention ranks, as a replica of its own. */
const halves: readonly Mapping[] = [
  degrees({}),
  degrees({ tp: 2, ep: 2 }),
  degrees({ tp: 2, etp: 2 }),
  degrees({ dp: 2, ep: 2 }),
  degrees({ tp: 2, dp: 2, ep: 2, etp: 2 }),
  degrees({ cp: 2, ep: 2 }),
  degrees({ cp: 2, dp: 2, ep: 4 }),
];

function run(mapping: Mapping, requests: number, overrides: Partial<SimConfig> = {}) {
  const { exchange = "allToAll", ...rest } = overrides as Partial<SimConfig> & { exchange?: "allToAll" };
  return simulate(
    testConfig({
      mapping,
      engine: testEngine({ expertExchange: exchange }),
      // All requests read the same rows.
      routing: { kind: "replay", table: testRouting(), layerMap: [0, 1, 2, 3], start: "zero" },
      workload: {
        kind: "open",
        requests: testRequests(Array.from({ length: requests }, () => ({ at: 0, prompt: 150, output: 12 }))),
      },
      ...rest,
    }),
  );
}

test("copies of the experts with equal traffic take what each takes as a replica alone, to the nanosecond", () => {
  for (const half of halves)
    for (const exchange of expertExchanges)
      for (const routing of [undefined, { kind: "uniform" } as const]) {
        const beside = { exchange, ...(routing === undefined ? {} : { routing }) } as unknown as Partial<SimConfig>;
        const one = run(half, half.dp, beside);
        const two = run({ ...half, dp: 2 * half.dp, edp: 2 }, 2 * half.dp, beside);
        expect(two.endNs, JSON.stringify({ half, exchange })).toBe(one.endNs);
        expect(two.requests.firstTokenNs.slice(0, half.dp)).toEqual(one.requests.firstTokenNs);
        expect(two.steps).toBe(one.steps);
        for (const [part, ns] of Object.entries(one.time))
          expect(two.time[part as keyof typeof two.time], part).toBeCloseTo(ns, 3);
        expect(two.rankLoad).toHaveLength(2 * one.rankLoad.length);
        for (const [rank, load] of one.rankLoad.entries()) expect(two.rankLoad[rank]).toBeCloseTo(load, 9);
      }
});

test("with unequal traffic every step takes as long as that of the busier copy", () => {
  // Two prompts on one rank, one on the other.
  const requests = testRequests([
    { prompt: 150, output: 12 },
    { prompt: 30, output: 12 },
  ]);
  const routing = { kind: "replay", table: testRouting(1), layerMap: [0, 0, 0, 0], start: "zero" } as const;
  const alone = testRequests([{ prompt: 150, output: 12 }]);
  const both = run(degrees({ dp: 2, edp: 2 }), 0, { routing, workload: { kind: "open", requests } });
  const busier = run(degrees({}), 0, { routing, workload: { kind: "open", requests: alone } });
  expect(both.requests.firstTokenNs[0]).toBe(busier.requests.firstTokenNs[0]);
  expect(both.time.promptWait).toBeGreaterThan(0);
});

test("rows are read once each, by the copy that serves their rank, zig-zag inside a divided prompt", () => {
  const table = testRouting(2, 8, 2, 90);
  const options = { start: "random" as const, seed: 3, domainOf: () => -1, ordered: true };
  fc.assert(
    fc.property(
      fc.constantFrom(
        degrees({ dp: 4, edp: 2 }),
        degrees({ cp: 4, edp: 2 }),
        degrees({ cp: 3, dp: 2, edp: 3 }),
        degrees({ cp: 4, dp: 2, edp: 8 }),
      ),
      fc.array(fc.array(fc.record({ done: fc.nat(200), tokens: fc.integer({ min: 1, max: 40 }) }), { maxLength: 5 }), {
        minLength: 4,
        maxLength: 4,
      }),
      (mapping, chunks) => {
        const ranks = chunks.slice(0, mapping.dp);
        const all = ranks.flat();
        const replay = new RoutingReplay(table, all.length, options);
        let request = 0;
        const parts = ranks.map((own) => ({
          requests: Int32Array.from(own, () => request++),
          tokens: Int32Array.from(own, ({ tokens }) => tokens),
          count: own.length,
        })) as unknown as RankStep[];
        const groups = Array.from({ length: mapping.edp }, () => replay.newStep());
        new GroupRows(replay, mapping).read(
          groups,
          parts,
          all.map(({ done }) => done),
        );
        const whole = replay.newStep();
        for (const [i, { done, tokens }] of all.entries()) replay.read(whole, i, done, tokens);
        const rows = groups.flatMap((group) => [...group.rows.subarray(0, group.count)]);
        expect(rows.sort((a, b) => a - b)).toEqual([...whole.rows.subarray(0, whole.count)].sort((a, b) => a - b));
      },
    ),
    { numRuns: drawn(40) },
  );
});

test("of two parts of a prompt one has the outer quarters, the other the inner ones", () => {
  const table = testRouting(1, 8, 2, 100);
  const replay = new RoutingReplay(table, 1, { start: "zero", seed: 1, domainOf: () => -1, ordered: true });
  const groups = [replay.newStep(), replay.newStep()];
  const part = { requests: Int32Array.of(0), tokens: Int32Array.of(8), count: 1 } as unknown as RankStep;
  new GroupRows(replay, degrees({ cp: 2, edp: 2 })).read(groups, [part], [10]);
  expect(groups.map(({ rows, count }) => [...rows.subarray(0, count)])).toEqual([
    [10, 11, 16, 17],
    [12, 13, 14, 15],
  ]);
});

test("a copy of the experts inside a node sends nothing between nodes; one over nodes does", () => {
  const slowOut = (bytesPerSecond: number) =>
    testNode({ scaleOut: { name: "out", bytesPerSecond, latencyNs: 5000, efficiency: 1 } });
  const end = (mapping: Mapping, bytesPerSecond: number) =>
    run(mapping, 16, { node: slowOut(bytesPerSecond), exchange: "allToAll" } as unknown as Partial<SimConfig>).endNs;
  // 16 devices on two nodes.
  const inside = degrees({ dp: 16, ep: 8, edp: 2 });
  const over = degrees({ dp: 16, ep: 8, etp: 2 });
  expect(end(inside, 1e3)).toBe(end(inside, 1e10));
  expect(end(over, 1e6)).toBeGreaterThan(end(over, 1e10));
});
