import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { eplb } from "../../../src/policy/placement/eplb.ts";
import { livePlacementNames } from "../../../src/policy/placement/live-placements.ts";
import { noExpert, type Placement } from "../../../src/policy/placement/placement.ts";
import { movedExperts, placementProblems } from "../../../src/policy/placement/placement-measures.ts";
import type { RebalanceName } from "../../../src/policy/rebalance/rebalances.ts";
import type { SimConfig } from "../../../src/sim/config.ts";
import type { LoadWindow } from "../../../src/sim/rebalance/load-window.ts";
import { simulate } from "../../../src/sim/simulate.ts";
import { Simulation } from "../../../src/sim/simulation.ts";
import { drawn, further } from "../../drawn.ts";
import { singleDevice, testNode, testRequests, testRouting } from "../build.ts";
import { contiguousOn, freeLinks, rebalanceOf, steps, twoRanks } from "./build.ts";

/** One new map, after `pass` passes: the runs here end before five times as many. */
const once = (pass: number) => ({ interval: 4 * pass, window: pass });
const mapOf = ({ simulation }: ReturnType<typeof steps>): Placement =>
  simulation.pools[0]!.experts.rebalances[0]!.placement;
const resultOf = ({ result }: ReturnType<typeof steps>) => result.pools[0]!.rebalance!;
const every: readonly (readonly [RebalanceName, Record<string, unknown>])[] = [
  ["vllm", { interval: 8, window: 4, async: false }],
  ["vllm", { interval: 8, window: 4 }],
  ["sglang", { interval: 5 }],
  ["sglang", { interval: 5, layersPerChunk: 3 }],
  ["tensorrt-llm", { layerUpdatesPerIter: 1 }],
];
/** Bytes of an expert of the tiny model, on the one device of its rank. */
const expertBytes = (run: ReturnType<typeof steps>) => run.simulation.pools[0]!.memory.expertBytes;

describe("rebalancing", () => {
  it("that moves nothing changes nothing", () => {
    const none = steps(twoRanks());
    for (const [name, given] of every) {
      const policy = name === "vllm" ? { policy: "contiguous" } : { policy: "round-robin" };
      const placement = name === "vllm" ? contiguousOn(2) : roundRobin();
      const still = name === "vllm" ? none : steps(twoRanks({ placement }));
      const run = steps(twoRanks({ placement, rebalance: rebalanceOf(name, { ...given, ...policy }) }));
      expect(run.endNs).toEqual(still.endNs);
      expect(run.result.requests).toEqual(still.result.requests);
      expect(run.result.layers).toEqual(still.result.layers);
      expect(resultOf(run)).toMatchObject({ movedExperts: 0, movedBytes: 0, stallNs: 0 });
      expect(resultOf(run).rebalances).toBeGreaterThan(0);
    }
  });

  it("keeps every token and gives the same twice", () => {
    const none = steps(twoRanks());
    for (const [name, given] of every) {
      const config = twoRanks({ rebalance: rebalanceOf(name, given) });
      const run = steps(config);
      expect(run.result.outputTokens).toBe(none.result.outputTokens);
      expect(run.result.layers.map(({ pairs }) => pairs)).toEqual(none.result.layers.map(({ pairs }) => pairs));
      expect(resultOf(run).movedExperts).toBeGreaterThan(0);
      expect(resultOf(run).movedBytes).toBe(resultOf(run).movedExperts * expertBytes(run));
      expect(simulate(config)).toEqual(run.result);
    }
  });

  it("of vLLM stands still after a quarter of the interval for what the slowest link of each layer takes", () => {
    const none = steps(twoRanks());
    const run = steps(twoRanks({ rebalance: rebalanceOf("vllm", { ...once(30), async: false }) }));
    const after = mapOf(run);
    let stallNs = 0;
    for (let layer = 0; layer < 4; layer++) {
      const on = (map: Placement, rank: number) =>
        new Set(map.logicalExperts.subarray(layer * 8 + 4 * rank, layer * 8 + 4 * rank + 4));
      const lacks = (rank: number) =>
        [...on(after, rank)].filter((expert) => !on(contiguousOn(2), rank).has(expert)).length;
      const most = Math.max(lacks(0), lacks(1));
      // 100 GB/s, 1 us.
      if (most > 0) stallNs += 1000 + (most * expertBytes(run) * 1e9) / 1e11;
    }
    expect(stallNs).toBeGreaterThan(0);
    expect(resultOf(run)).toMatchObject({
      rebalances: 1,
      movedExperts: movedExperts(contiguousOn(2), after),
      stallNs: Math.round(stallNs),
    });
    // The first 30 passes are those of the first map, and the next one begins later by the moves.
    expect(run.endNs.slice(0, 30)).toEqual(none.endNs.slice(0, 30));
    const begins = run.endNs.map((endNs, step) => endNs - run.ns[step]!);
    const pauses = begins.slice(1).map((beginNs, step) => beginNs - run.endNs[step]!);
    expect(pauses.flatMap((ns, step) => (ns > 0 ? [step + 1] : []))).toEqual([30]);
    expect(pauses[29]).toBe(Math.round(stallNs));
  });

  it("of SGLang stands still for a chunk after each pass", () => {
    const run = steps(twoRanks({ rebalance: rebalanceOf("sglang", { interval: 10, layersPerChunk: 1 }) }));
    const begins = run.endNs.map((endNs, step) => endNs - run.ns[step]!);
    const pauses = begins.slice(1).flatMap((beginNs, step) => (beginNs > run.endNs[step]! ? [step + 1] : []));
    // Asked for at the end of pass 11; one layer after each of the next four, as far as it moves anything.
    for (const pass of pauses.filter((each) => each < 20)) expect([12, 13, 14, 15]).toContain(pass);
    expect(pauses[0]).toBeLessThan(20);
  });

  it("beside passes never takes them longer than standing still does", () => {
    const cases = fc.record({
      seed: fc.integer({ min: 1, max: 1000 }),
      pass: fc.integer({ min: 25, max: 60 }),
      linkBytesPerSecond: fc.constantFrom(1e8, 1e9, 1e10, 1e11),
    });
    fc.assert(
      fc.property(cases, ({ seed, pass, linkBytesPerSecond }) => {
        const link = { name: "up", bytesPerSecond: linkBytesPerSecond, latencyNs: 1000, efficiency: 1 };
        const base: Partial<SimConfig> = {
          node: testNode({ scaleUp: link }),
          routing: { kind: "replay", table: testRouting(4, 8, 2, 300, seed), layerMap: [0, 1, 2, 3], start: "random" },
        };
        const [waits, beside] = [false, true].map((async) =>
          steps(twoRanks({ ...base, rebalance: rebalanceOf("vllm", { ...once(pass), async }) })),
        );
        expect(resultOf(beside!).stallNs).toBeLessThanOrEqual(resultOf(waits!).stallNs + 1);
        expect(resultOf(beside!).movedBytes).toBeLessThanOrEqual(resultOf(waits!).movedBytes);
      }),
      { numRuns: drawn(40) },
    );
  });

  it("over free links takes no time either way, and the passes are the same once all layers have moved", () => {
    const [waits, beside] = [false, true].map((async) =>
      steps(twoRanks({ node: freeLinks(), rebalance: rebalanceOf("vllm", { ...once(30), async }) })),
    );
    expect(mapOf(beside!)).toEqual(mapOf(waits!));
    expect([resultOf(waits!).stallNs, resultOf(beside!).stallNs]).toEqual([0, 0]);
    // A layer arrives in each of the four passes after the thirtieth.
    expect(beside!.ns.slice(34)).toEqual(waits!.ns.slice(34));
    expect(beside!.ns.slice(30, 34)).not.toEqual(waits!.ns.slice(30, 34));
  });

  it("books what exchanges lose to experts on their way, half of the link each", () => {
    // Over links so slow, exchanges are nearly all of a step, and the first layer is on its way for several.
    const slow = { name: "slow", bytesPerSecond: 1e6, latencyNs: 0, efficiency: 1 };
    const setting = { node: testNode({ scaleUp: slow }) };
    const none = steps(twoRanks(setting));
    const run = steps(twoRanks({ ...setting, rebalance: rebalanceOf("vllm", once(30)) }));
    expect(run.ns.slice(0, 30)).toEqual(none.ns.slice(0, 30));
    for (const step of [30, 31, 32]) {
      expect(run.ns[step]! / none.ns[step]!).toBeGreaterThan(1.95);
      expect(run.ns[step]! / none.ns[step]!).toBeLessThan(2);
    }
  });

  it("costs a stage only what of it lies between leaving and arriving", () => {
    const slow = { name: "slow", bytesPerSecond: 1e6, latencyNs: 0, efficiency: 1 };
    const simulation = new Simulation(
      twoRanks({ node: testNode({ scaleUp: slow }), rebalance: rebalanceOf("vllm", once(30)) }),
    );
    const [own] = simulation.pools[0]!.experts.rebalances;
    while (!own!.moving) simulation.advance(1);
    const [lane] = (own as unknown as { lanes: { beginNs: number; endNs: number }[] }).lanes;
    const { beginNs, endNs } = lane!;
    // All of the stage is exchange, a quarter of it, and one that is over before.
    expect(own!.besideNs(0, beginNs - 700, 1000, 1000)).toBe(300);
    expect(lane!.endNs).toBe(endNs + 300);
    expect(own!.besideNs(0, beginNs + 100, 1000, 250)).toBe(250);
    expect(own!.besideNs(0, beginNs - 1000, 1000, 1000)).toBe(0);
    expect(own!.besideNs(0, lane!.endNs - 200, 1000, 1000)).toBe(200);
  });

  it("makes a lasting preference for some experts more even", () => {
    for (const [name, given] of every) {
      const run = steps(twoRanks({ rebalance: rebalanceOf(name, given) }));
      expect(resultOf(run).balancednessAfter!).toBeGreaterThan(resultOf(run).balancednessBefore!);
    }
  });

  it("gives every replica a map of its own loads", () => {
    const run = steps(twoRanks({ replicas: 2, rebalance: rebalanceOf("vllm", { interval: 8, window: 8 }) }));
    const [one, other] = run.simulation.pools[0]!.experts.rebalances;
    expect(one!.rebalances).toBeGreaterThan(0);
    expect(other!.rebalances).toBeGreaterThan(0);
    expect(one!.placement.logicalExperts).not.toEqual(other!.placement.logicalExperts);
  });

  it("holds up the stages of a pipeline, each for its own layers", () => {
    const mapping = { ...singleDevice, pp: 2, dp: 2, ep: 2 };
    const run = steps(twoRanks({ mapping, rebalance: rebalanceOf("vllm", { ...once(60), async: false }) }));
    let stallNs = 0;
    for (const stage of [0, 1]) {
      let stageNs = 0;
      for (const layer of [2 * stage, 2 * stage + 1]) {
        const one = (map: Placement): Placement => ({
          ...map,
          layers: 1,
          logicalExperts: map.logicalExperts.subarray(8 * layer, 8 * layer + 8),
        });
        // Without copies both ranks lack equally many.
        const most = movedExperts(one(contiguousOn(2)), one(mapOf(run))) / 2;
        if (most > 0) stageNs += 1000 + (most * expertBytes(run) * 1e9) / 1e11;
      }
      stallNs += Math.round(stageNs);
    }
    expect(stallNs).toBeGreaterThan(0);
    expect(resultOf(run).stallNs).toBe(stallNs);
  });

  it("serves what comes while a replica stands still once it has moved its experts, and does not outlast its requests", () => {
    const slow = { name: "slow", bytesPerSecond: 1e6, latencyNs: 0, efficiency: 1 };
    const last = { ...once(3), async: false };
    const config = (second: readonly { at: number; prompt: number; output: number }[], recvInterval: number) => {
      const { scheduler } = twoRanks();
      const requests = testRequests([{ prompt: 30, output: 3 }, ...second]);
      return twoRanks({
        node: testNode({ scaleUp: slow }),
        scheduler: { ...scheduler, recvInterval },
        workload: { kind: "open", requests },
        rebalance: rebalanceOf("vllm", last),
      });
    };
    const alone = steps(config([], 1));
    expect(alone.result.endNs).toBe(alone.endNs[2]);
    expect(resultOf(alone)).toMatchObject({ rebalances: 1, stallNs: 0 });
    const at = alone.result.endNs + 1000;
    for (const recvInterval of [1, 3]) {
      const both = steps(config([{ at, prompt: 10, output: 2 }], recvInterval));
      expect(resultOf(both).stallNs).toBeGreaterThan(1e8);
      expect(both.result.requests.scheduledNs[1]).toBe(alone.result.endNs + resultOf(both).stallNs);
    }
  });

  it("starts again with the first map where a replica has lost its experts", () => {
    const { simulation } = steps(twoRanks({ rebalance: rebalanceOf("sglang", { interval: 5 }) }));
    const [pool] = simulation.pools;
    const [own] = pool!.experts.rebalances;
    expect(own!.placement).not.toEqual(contiguousOn(2));
    pool!.experts.forget(0);
    expect(own!.placement).toEqual(contiguousOn(2));
    expect(own!.moving).toBe(false);
    // Loads from before are forgotten too: a map of none is that of even loads.
    const window = (own as unknown as { window: LoadWindow }).window;
    expect(window.loads([0, 1, 2, 3]).every((tokens) => tokens === 0)).toBe(true);
  });

  it("keeps the limits of the ranks in every map, whoever makes it and however many layers are asked for", () => {
    // Rank 0 has places for four or three copies by turns, rank 1 for six: at most a copy of each of eight experts on both.
    const rooms = Uint16Array.from({ length: 8 }, (_, at) => (at % 2 === 1 ? 6 : 4 - ((at / 2) % 2)));
    const limits = { rooms, twins: false };
    const input = { layers: 4, experts: 8, ranks: 2, nodes: 1, groups: 1, physicalExperts: 12, loads: null };
    const placement = eplb.place({ ...input, ...limits });
    const allowed = (map: Placement) =>
      Array.from({ length: 8 }, (_, at) => {
        const held = [...map.logicalExperts.subarray(6 * at, 6 * at + 6)].filter((expert) => expert !== noExpert);
        return held.length <= rooms[at]! && new Set(held).size === held.length;
      }).every(Boolean);
    expect(allowed(placement)).toBe(true);
    const ways = [every[0]!, ...further(every.slice(1, 4)), every[4]!];
    for (const policy of livePlacementNames)
      for (const [name, given] of ways) {
        const run = steps(twoRanks({ placement, rebalance: { ...rebalanceOf(name, { ...given, policy }), limits } }));
        expect(resultOf(run).rebalances, policy).toBeGreaterThan(0);
        expect(allowed(mapOf(run)), `${policy}, ${name}`).toBe(true);
        expect(placementProblems(mapOf(run))).toEqual([]);
      }
  });

  it("goes by the parameters of its policy, and sends no more than these allow", () => {
    const moved = (swaps: number) => {
      const rebalance = { ...rebalanceOf("vllm", { ...once(30), policy: "swift" }), values: { swaps } };
      return resultOf(steps(twoRanks({ rebalance }))).movedExperts;
    };
    const [none, one, many] = [moved(0), moved(1), moved(8)];
    expect(none).toBe(0);
    // An exchange moves two experts, in each of four layers.
    expect(one).toBeGreaterThan(0);
    expect(one).toBeLessThanOrEqual(8);
    expect(many).toBeGreaterThan(one);
  });

  it("takes a buffer of one layer from the KV cache, and none where the host has the experts", () => {
    const items = (config: SimConfig) => steps(config).result.memory.tiers[0]!.items;
    const buffer = (config: SimConfig) => items(config).find(({ name }) => name === "rebalancing buffer")?.bytes;
    const requests = testRequests([{ prompt: 10, output: 2 }]);
    const short = { workload: { kind: "open", requests } } as const;
    const { simulation } = steps(twoRanks(short));
    expect(buffer(twoRanks({ ...short, rebalance: rebalanceOf("vllm") }))).toBe(
      4 * simulation.pools[0]!.memory.expertBytes,
    );
    expect(buffer(twoRanks({ ...short, rebalance: rebalanceOf("tensorrt-llm") }))).toBeUndefined();
  });
});

/** Experts of the tiny model dealt to two ranks in turn. */
function roundRobin(): Placement {
  const map = contiguousOn(2);
  return { ...map, logicalExperts: map.logicalExperts.map((_, at) => (at % 8 < 4 ? 2 * (at % 4) : 2 * (at % 4) + 1)) };
}
