import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InfeasibleError } from "../../../src/core/errors.ts";
import { CostModel } from "../../../src/hardware/cost.ts";
import type { Node } from "../../../src/hardware/device.ts";
import type { SimConfig } from "../../../src/sim/config.ts";
import type { Mapping } from "../../../src/sim/mapping.ts";
import { planMemory } from "../../../src/sim/memory/memory-plan.ts";
import { replicaNodes } from "../../../src/sim/replica-nodes.ts";
import { simulate } from "../../../src/sim/simulate.ts";
import { StepCost } from "../../../src/sim/step/step-cost.ts";
import { drawn } from "../../drawn.ts";
import {
  singleDevice,
  testConfig,
  testEngine,
  testExpertKernels,
  testNode,
  testOffload,
  testRequests,
  testRouting,
  tinyModel,
} from "../build.ts";

const expertBytes = 3 * 256 * 128 * 2;
const linkNs = 5000 + expertBytes / 25;

/** Devices that compute in no time, whose host memory takes `memoryNs` for an expert and nothing until its first byte. */
function node(devicesPerNode: number, memoryNs: number, gpu: Partial<Node["device"]> = {}): Node {
  const base = testNode({ peak: { bf16: 1e30 }, memoryBytesPerSecond: 1e30, ...gpu });
  const [ddr, nvme] = base.tiers as [Node["tiers"][0], Node["tiers"][0]];
  const read = { ...ddr.read, bytesPerSecond: (expertBytes * 1e9) / memoryNs, latencyNs: 0 };
  return { ...base, devicesPerNode, tiers: [{ ...ddr, read }, nvme] };
}

/** One layer, and prompts that use all of its experts. */
function config(mapping: Partial<Mapping>, parts: Partial<SimConfig>, prompts: number): SimConfig {
  return testConfig({
    model: tinyModel({}, 1),
    mapping: { ...singleDevice, ...mapping },
    routing: { kind: "replay", table: testRouting(1, 8, 2, 300), layerMap: [0], start: "zero" },
    workload: {
      kind: "open",
      requests: testRequests(Array.from({ length: prompts }, () => ({ prompt: 200, output: 1 }))),
    },
    offload: testOffload(),
    ...parts,
  });
}

describe("missing experts of a step take", () => {
  const waitNs = (mapping: Partial<Mapping>, on: Node, prompts = 1) => {
    const { time } = simulate(config(mapping, { node: on }, prompts));
    return time.expertFetch;
  };

  test("one device: the slower of its link and the memory", () => {
    for (const memoryNs of [linkNs / 3, linkNs, 3 * linkNs])
      expect(waitNs({}, node(8, memoryNs))).toBeCloseTo(8 * Math.max(linkNs, memoryNs), 2);
  });

  test("expert ranks on one node: their share of the experts over their links, or all of them from the memory", () => {
    for (const memoryNs of [linkNs / 5, linkNs / 2, linkNs]) {
      const shared = waitNs({ tp: 4, ep: 4 }, node(4, memoryNs));
      expect(shared).toBeCloseTo(Math.max(2 * linkNs, 8 * memoryNs), 2);
    }
  });

  test("expert ranks behind one link: all of their experts over it, or half of them over each of two", () => {
    const memoryNs = linkNs / 100;
    const uplinkNs = linkNs - 5000;
    const [one, two, own] = [4, 2, 1].map((hostLinkDevices) =>
      waitNs({ tp: 4, ep: 4 }, { ...node(4, memoryNs), hostLinkDevices }),
    );
    expect(one).toBeCloseTo(Math.max(2 * linkNs, 8 * uplinkNs), 2);
    expect(two).toBeCloseTo(Math.max(2 * linkNs, 4 * uplinkNs), 2);
    expect(own).toBeCloseTo(waitNs({ tp: 4, ep: 4 }, node(4, memoryNs)), 2);
    // Slices of an expert go over the links of their devices.
    const slices = (hostLinkDevices: number) => waitNs({ tp: 4, etp: 4 }, { ...node(4, memoryNs), hostLinkDevices });
    expect(slices(4)).toBeCloseTo(8 * Math.max(5000 + uplinkNs / 4, uplinkNs), 2);
    expect(slices(2)).toBeCloseTo(8 * Math.max(5000 + uplinkNs / 4, uplinkNs / 2), 2);
  });

  test("slices of a split expert: all of them from the memory, side by side over the links", () => {
    const sliceNs = 5000 + expertBytes / 2 / 25;
    for (const memoryNs of [linkNs / 5, 2 * linkNs])
      expect(waitNs({ tp: 2, etp: 2 }, node(8, memoryNs))).toBeCloseTo(8 * Math.max(sliceNs, memoryNs), 2);
  });

  test("replicas on one node: as long as all their experts take from its memory", () => {
    for (const memoryNs of [linkNs / 2, linkNs, 2 * linkNs]) {
      const run = (devicesPerNode: number, replicas: number) =>
        simulate(config({}, { node: node(devicesPerNode, memoryNs), replicas }, replicas));
      const alone = run(1, 1).endNs;
      expect(run(1, 2).endNs).toBe(alone);
      const extraNs = 8 * (Math.max(linkNs, 2 * memoryNs) - Math.max(linkNs, memoryNs));
      expect(run(2, 2).endNs - alone).toBeGreaterThanOrEqual(extraNs - 1);
      expect(run(2, 2).endNs - alone).toBeLessThanOrEqual(extraNs + linkNs);
    }
  });
});

test("the first byte of host memory comes after its latency, whatever its bandwidth", () => {
  const late = node(8, 2 * linkNs);
  const [ddr, nvme] = late.tiers as [Node["tiers"][0], Node["tiers"][0]];
  const tiers = [{ ...ddr, read: { ...ddr.read, latencyNs: 700 } }, nvme];
  const { cache } = simulate(config({}, { node: { ...late, tiers } }, 1));
  // The link is held until the last byte is there, and the next transfer begins then.
  expect(cache!.stallNs).toBeCloseTo(8 * (2 * linkNs + 700), 2);
});

test("a missing expert is computed by a kernel of its own, with the engine's factors, in both half batches", () => {
  const table = testRouting(1, 8, 2, 300);
  const tokensOf = new Float64Array(8);
  for (let i = 0; i < 2 * 2 * 50; i++) tokensOf[table.ids[i]!]!++;
  const slow = testNode({ kernels: testExpertKernels() });
  const cost = new CostModel(slow.device, slow);
  const kernel = (pairs: number, distinctExperts: number) =>
    cost.opNs({
      kind: "groupedGemm",
      pairs,
      distinctExperts,
      presentedPairs: 0,
      parametersPerExpert: 3 * 256 * 128,
      shardWidth: 128,
      valuesPerPair: 2 * 256 + 3 * 128,
      weightFormat: "bf16",
      math: "bf16",
    });
  const routerNs = (tokens: number) =>
    cost.opNs({ kind: "gemm", tokens, inputWidth: 256, outputWidth: 8, weightFormat: "bf16", math: "bf16" });
  const expertsNs = (mapping: Partial<Mapping>, prompts: number, tokens: number, engine = {}) => {
    const requests = testRequests(Array.from({ length: prompts }, () => ({ prompt: tokens, output: 1 })));
    const parts = { node: slow, engine: testEngine(engine), workload: { kind: "open", requests } as const };
    return simulate(config(mapping, parts, prompts)).time.experts;
  };
  const alone = tokensOf.reduce((sum, tokens) => sum + kernel(tokens, 1), 0);
  expect(expertsNs({}, 1, 100)).toBeCloseTo(routerNs(100) + alone, 3);
  // Two prompts of 50 rows, which both start at the first one; two ranks of four experts, and the mean of both is booked.
  const inHalves = tokensOf.map(() => 0);
  for (let i = 0; i < 2 * 50; i++) inHalves[table.ids[i]!]! += 2;
  const visited = 4 * (1 - Math.sqrt(3 / 4));
  const halves = inHalves.reduce((sum, tokens) => sum + 2 * kernel(tokens / 2, visited), 0) / 2;
  expect(expertsNs({ dp: 2, ep: 2 }, 2, 50, { overlapsBatches: true })).toBeCloseTo(2 * routerNs(25) + halves, 3);
  // Where all ranks are given all tokens, it is given its own alone.
  const whole = inHalves.reduce((sum, tokens) => sum + kernel(tokens, 1), 0) / 2;
  expect(expertsNs({ dp: 2, ep: 2 }, 2, 50, { expertExchange: "allGatherReduceScatter" })).toBeCloseTo(
    routerNs(50) + whole,
    3,
  );
});

test("sharing a node makes no request of any replica sooner", () => {
  const draw = fc.record({
    replicas: fc.integer({ min: 2, max: 4 }),
    slots: fc.integer({ min: 1, max: 8 }),
    hostExperts: fc.constantFrom(0, 20, 64),
    memoryNs: fc.constantFrom(1000, 5000, 20_000),
    overlap: fc.boolean(),
    pp: fc.constantFrom(1, 2),
    seed: fc.integer({ min: 1, max: 1000 }),
  });
  fc.assert(
    fc.property(draw, ({ replicas, slots, hostExperts, memoryNs, overlap, pp, seed }) => {
      const requests = testRequests(
        Array.from({ length: 3 * replicas }, (_, i) => ({ prompt: 10 + i, output: pp === 1 ? 6 : 1 })),
      );
      const last = (devicesPerNode: number) =>
        simulate(
          testConfig({
            seed,
            mapping: { ...singleDevice, pp },
            replicas,
            node: node(devicesPerNode, memoryNs),
            // One step at a time: which requests share a step does not depend on time.
            scheduler: { ...testConfig().scheduler, maxSequences: pp === 1 ? 32 : 1 },
            workload: { kind: "open", requests },
            offload: testOffload({ slots, overlap, hostBytes: hostExperts * expertBytes }),
          }),
        ).requests.lastTokenNs;
      const apart = last(pp);
      for (const [request, ns] of last(replicas * pp).entries()) expect(ns).toBeGreaterThanOrEqual(apart[request]!);
    }),
    { numRuns: drawn(60), seed: 3 },
  );
});

describe("replicas and nodes", () => {
  test("whole replicas share a node; a larger one has nodes of its own", () => {
    const on = (devicesPerNode: number, mapping: Partial<Mapping>, replicas: number, firstDevice = 0) => {
      const nodes = replicaNodes({
        mapping: { ...singleDevice, ...mapping },
        replicas,
        node: { ...testNode(), devicesPerNode },
        firstDevice,
      });
      return [nodes.sharedBy, Array.from({ length: replicas }, (_, r) => nodes.nodeOf(r, 0))];
    };
    expect(on(8, {}, 3)).toEqual([3, [0, 0, 0]]);
    expect(on(8, { tp: 2 }, 6)).toEqual([4, [0, 0, 0, 0, 1, 1]]);
    expect(on(8, { tp: 3 }, 4)).toEqual([2, [0, 0, 1, 1]]);
    expect(on(8, { tp: 8, pp: 2 }, 3)).toEqual([1, [0, 2, 4]]);
    expect(on(1, { pp: 2 }, 2)).toEqual([1, [0, 2]]);
    // Behind other pools' devices on its first node.
    expect(on(8, { tp: 2 }, 6, 12)).toEqual([4, [0, 0, 1, 1, 1, 1]]);
    expect(on(8, { tp: 2 }, 3, 3)).toEqual([2, [0, 0, 1]]);
  });

  const plan = (parts: Partial<SimConfig>) => {
    const whole = testConfig({ offload: testOffload({ slots: 2 }), ...parts });
    const cost = new StepCost(whole, new CostModel(whole.node.device, whole.node));
    return planMemory(whole, cost.attention);
  };

  test("a node's memory is never given away twice", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 9 }),
        fc.constantFrom(1, 2, 4, 8),
        fc.constantFrom({}, { tp: 2, ep: 2 }, { pp: 2 }, { tp: 2, etp: 2, pp: 2 }),
        fc.integer({ min: 0, max: 80 }),
        (replicas, devicesPerNode, degrees, experts) => {
          const mapping = { ...singleDevice, ...degrees };
          const base = testNode();
          const [ddr, nvme] = base.tiers as [Node["tiers"][0], Node["tiers"][0]];
          const tiers = [{ ...ddr, bytes: experts * expertBytes }, nvme];
          const on = { ...base, devicesPerNode, tiers };
          const { map, hostExperts } = plan({ node: on, mapping, replicas });
          const { sharedBy } = replicaNodes({ mapping, replicas, node: on });
          expect(sharedBy * hostExperts).toBeLessThanOrEqual(experts);
          for (const tier of map.tiers) {
            expect(tier.usedBytes).toBeLessThanOrEqual(tier.capacityBytes);
            expect(tier.items.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(tier.usedBytes);
          }
        },
      ),
      { numRuns: drawn(100) },
    );
  });

  test("a node keeps what its own ranks compute", () => {
    // 32 experts: all of them on one node, half on each of two, with room for half in its memory.
    const on = (devicesPerNode: number) => ({ ...testNode(), devicesPerNode });
    const half = testOffload({ slots: 2, hostBytes: 16 * expertBytes });
    for (const degrees of [{ pp: 2 }, { tp: 2, ep: 2 }]) {
      const mapping = { ...singleDevice, ...degrees };
      expect(plan({ mapping, node: on(2), offload: half })).toMatchObject({ hostExperts: 16, hostHoldsAll: false });
      expect(plan({ mapping, node: on(1), offload: half })).toMatchObject({ hostExperts: 16, hostHoldsAll: true });
    }
    // Every rank of a split expert needs its slice.
    const split = plan({ mapping: { ...singleDevice, tp: 2, etp: 2 }, node: on(1), offload: half });
    expect(split).toMatchObject({ hostExperts: 16, hostHoldsAll: false });
  });

  test("shares too small for all experts need a disk that holds them", () => {
    const base = testNode();
    const memoryOnly = { ...base, tiers: base.tiers.slice(0, 1) };
    const fits = testOffload({ slots: 2, hostBytes: 40 * expertBytes });
    expect(plan({ node: memoryOnly, offload: fits }).hostHoldsAll).toBe(true);
    expect(() => plan({ node: memoryOnly, offload: fits, replicas: 2 })).toThrow(InfeasibleError);
    expect(() => plan({ node: memoryOnly, offload: fits, replicas: 2 })).toThrow(/for each of 2 replicas/);
  });
});

test("a device without a host link reads experts in place of host memory, or from disk alone", () => {
  const on = testNode({ hostLink: null });
  const prompts = { slots: 8, hostBytes: 0 };
  const fetchNs = (tiers: Node["tiers"]) => {
    const base = config({}, { node: { ...on, tiers }, offload: testOffload(prompts) }, 1);
    return simulate(base).cache!.stallNs;
  };
  const disk = 50_000 + expertBytes / 5;
  expect(fetchNs([on.tiers[1]!])).toBeGreaterThan(7 * disk);
  expect(fetchNs([on.tiers[1]!])).toBeLessThanOrEqual(8 * disk);
});
