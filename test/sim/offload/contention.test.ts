import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Router } from "../../../src/policy/router/router.ts";
import type { PoolConfig, SimConfig } from "../../../src/sim/config.ts";
import { hostRoots } from "../../../src/sim/host-roots.ts";
import { devicesOf, mappingProblems } from "../../../src/sim/mapping.ts";
import type { RunResult } from "../../../src/sim/result.ts";
import { sharingGroups } from "../../../src/sim/shared-nodes.ts";
import { simulate } from "../../../src/sim/simulate.ts";
import { Simulation } from "../../../src/sim/simulation.ts";
import { drawn } from "../../drawn.ts";
import { singleDevice, testConfig, testNode, testOffload, testRequests, testRouting } from "../build.ts";
import { configOf as randomConfig, scenario } from "../random-config.ts";
import { type Contention, configOf, contention, judge } from "./contention-cases.ts";

const groupsOf = (config: PoolConfig) => sharingGroups(config, hostRoots(config));

test("replicas on shared memory, disks and links take what they take event by event, to the nanosecond", () => {
  let waited = 0;
  fc.assert(
    fc.property(contention, (c) => {
      if (judge(c) > 0) waited++;
    }),
    { numRuns: drawn(25), seed: 13 },
  );
  expect(waited).toBeGreaterThan(drawn(25) / 2);
});

test("nobody queues behind transfers that are not asked for yet", () => {
  const ms = 1e6;
  const layers = 4;
  const base = testNode();
  const [ddr, nvme] = base.tiers as [(typeof base.tiers)[0], (typeof base.tiers)[0]];
  const tiers = [ddr, { ...nvme, read: { ...nvme.read, bytesPerSecond: 1e30, latencyNs: 12.5 * ms } }];
  // One token each: two replicas know experts 0 and 1. Then one misses 2 and 3 in every layer, the other 2 in the first.
  const all = (a: number, b: number) => Array.from({ length: layers }, () => [a, b]);
  const tokens = [all(0, 1), all(0, 1), all(2, 3), [[0, 2], ...all(0, 1).slice(1)]];
  const table = {
    ...testRouting(layers, 8, 2, tokens.length),
    ids: Uint8Array.from(tokens.flat(2)),
    sequenceStarts: Uint32Array.from({ length: tokens.length + 1 }, (_, i) => i),
  };
  const at = [0, 0, 1000 * ms, 1001 * ms];
  const { requests } = simulate(
    testConfig({
      node: { ...base, tiers },
      replicas: 2,
      workload: { kind: "open", requests: testRequests(at.map((ns) => ({ at: ns, prompt: 1, output: 1 }))) },
      routing: { kind: "replay", table, layerMap: [0, 1, 2, 3], start: "zero" },
      offload: testOffload({ hostBytes: 0 }),
    }),
  );
  const took = at.map((ns, i) => (requests.lastTokenNs[i]! - ns) / ms);
  // Eight reads, and one of the neighbour between those of the first and the second layer.
  expect(took[2]).toBeGreaterThan(9 * 12.5);
  expect(took[2]).toBeLessThan(9 * 12.5 + 1);
  // Behind the two reads of the first layer, not behind all eight.
  expect(took[3]).toBeGreaterThan(3 * 12.5 - 1);
  expect(took[3]).toBeLessThan(3 * 12.5);
});

describe("a step is the same in one go and event by event", () => {
  /** All requests go to the first of `replicas` replicas. */
  const toFirst = (replicas: number): SimConfig["router"] => ({
    name: "first",
    create: (targets): Router => ({ choose: (request) => (targets === replicas ? 0 : request % targets) }),
  });
  const figures = ({ requests, itl, steps, endNs, time, layers, rankLoad, cache, kv, resources }: RunResult) => {
    const busy = resources.filter(({ name }) => name.startsWith("replica 0") || name.includes("node 0"));
    const { scheduledNs, firstTokenNs, lastTokenNs, preemptions } = requests;
    const served = [scheduledNs, firstTokenNs, lastTokenNs, preemptions];
    return { served, gaps: itl.count, steps, endNs, time, layers, rankLoad, cache, misses: kv.preemptions, busy };
  };

  test("with neighbours that never compute", () => {
    let compared = 0;
    fc.assert(
      fc.property(scenario, (c) => {
        const config = randomConfig({
          ...c,
          slots: c.slots ?? 2,
          routing: c.routing === "uniform" ? "zero" : c.routing,
        });
        const { offload, mapping } = config;
        fc.pre(mappingProblems(mapping, config.model).length === 0 && mapping.pp === 1 && offload !== null);
        const replicas = 5;
        // Alone, its devices would be on all sockets, beside others on the first.
        const { sockets: _, ...oneSocket } = config.node;
        const node = { ...oneSocket, devicesPerNode: replicas * devicesOf(mapping) };
        const alone = { ...config, node, replicas: 1, router: toFirst(replicas) };
        const hostBytes = replicas * offload!.hostBytes;
        const logAccessesMax = replicas * offload!.logAccessesMax;
        // Each has as much memory as it has alone.
        const tiers = node.tiers.map((tier) =>
          tier.kind === "cxl" ? { ...tier, bytes: replicas * tier.bytes } : tier,
        );
        const large = { ...node, tiers };
        const beside = { ...alone, node: large, replicas, offload: { ...offload!, hostBytes, logAccessesMax } };
        expect([...groupsOf(alone)]).toEqual([-1]);
        expect([...groupsOf(beside)]).toEqual(Array.from({ length: replicas }, () => 0));
        expect(figures(simulate(beside))).toEqual(figures(simulate(alone)));
        compared++;
      }),
      { numRuns: drawn(8), seed: 8 },
    );
    expect(compared).toBe(8);
  });

  test("with stages on one node, where its memory is free at once and each device has a link of its own", () => {
    fc.assert(
      fc.property(contention, (c) => {
        const stages = c.stages === 1 ? 2 : c.stages;
        const free: Contention = {
          ...c,
          replicas: 1,
          stages,
          hostExperts: null,
          twoSockets: false,
          hostLinkDevices: 1,
          memoryLatencyNs: 0,
        };
        const run = (devicesPerNode: number) => {
          const config = configOf({ ...free, devicesPerNode });
          const [ddr] = config.node.tiers as [(typeof config.node.tiers)[0]];
          const tiers = [{ ...ddr, read: { ...ddr.read, bytesPerSecond: 1e60 } }];
          const at = { ...config, node: { ...config.node, tiers } };
          return [groupsOf(at)[0]!, [...simulate(at).requests.lastTokenNs], simulate(at).time] as const;
        };
        const [apart, ...oneGo] = run(c.ranks);
        const [together, ...events] = run(c.ranks * stages);
        expect([apart, together]).toEqual([-1, 0]);
        expect(events).toEqual(oneGo);
      }),
      { numRuns: drawn(12), seed: 2 },
    );
  });
});

test("one replica alone is never slower with a link, a memory or a disk twice as fast", () => {
  fc.assert(
    fc.property(contention, fc.constantFrom("linkNs", "memoryNs", "diskNs"), (c, what) => {
      // What comes back into memory in the background may come too late for one speed alone.
      const alone = { ...c, replicas: 1, ranks: 1, stages: 1, exclusive: false };
      const ends = (of: Contention) => simulate(configOf(of)).requests.lastTokenNs;
      const slow = ends(alone);
      for (const [request, ns] of ends({ ...alone, [what]: c[what] / 2 }).entries())
        expect(ns).toBeLessThanOrEqual(slow[request]!);
    }),
    { numRuns: drawn(20), seed: 4 },
  );
});

test("the same inputs give the same figures, and a run that is stopped counts its steps in flight in full", () => {
  fc.assert(
    fc.property(contention, fc.integer({ min: 0, max: 12 }), (c, steps) => {
      const config = configOf(c);
      expect(simulate(config)).toEqual(simulate(config));
      const stopped = new Simulation(config);
      stopped.advance(steps);
      const { cache, resources } = stopped.result(true);
      // What devices read: memory, and a disk that they read past it.
      const read = resources.filter(
        ({ name }) => name.startsWith("host memory") || (c.direct && name.startsWith("NVMe")),
      );
      expect(read.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(cache!.fetchedBytes);
    }),
    { numRuns: drawn(10), seed: 6 },
  );
});

test("steps meet where several replicas or stages use one node", () => {
  const groups = (mapping: Partial<SimConfig["mapping"]>, replicas: number, devicesPerNode: number) => {
    const config = configOf({ ...fc.sample(contention, { numRuns: drawn(1), seed: 1 })[0]!, devicesPerNode });
    return [...groupsOf({ ...config, mapping: { ...singleDevice, ...mapping }, replicas })];
  };
  expect(groups({}, 3, 2)).toEqual([0, 0, -1]);
  expect(groups({ tp: 2, ep: 2 }, 2, 2)).toEqual([-1, -1]);
  expect(groups({ pp: 2 }, 2, 1)).toEqual([-1, -1]);
  expect(groups({ pp: 2 }, 2, 2)).toEqual([0, 1]);
  expect(groups({ pp: 4 }, 2, 2)).toEqual([0, 1]);
  expect([...groupsOf(testConfig({ replicas: 3 }))]).toEqual([-1, -1, -1]);
});
