import { describe, expect, test } from "vitest";
import { RandomStream } from "../../src/core/random.ts";
import { cachePolicies } from "../../src/policy/cache/caches.ts";
import { routers } from "../../src/policy/router/routers.ts";
import type { SimConfig } from "../../src/sim/config.ts";
import { requestStatus } from "../../src/sim/result.ts";
import { simulate } from "../../src/sim/simulate.ts";
import {
  singleDevice,
  testConfig,
  testEngine,
  testNode,
  testOffload,
  testRequests,
  testRouting,
  tinyMla,
  tinyModel,
} from "./build.ts";

const many = (n: number, seed: number, gapNs: number) => {
  const rng = new RandomStream(seed, "requests");
  let at = 0;
  return testRequests(
    Array.from({ length: n }, () => {
      at += Math.round(rng.exponential(gapNs));
      return { at, prompt: 1 + rng.below(400), output: 1 + rng.below(60) };
    }),
  );
};

/** Everything of a result that must be equal between equal runs. */
const fingerprint = (config: SimConfig) => {
  const { requests, itl, ...rest } = simulate(config);
  return JSON.stringify({
    rest,
    itl: itl.toJSON(),
    first: [...requests.firstTokenNs],
    last: [...requests.lastTokenNs],
    replica: [...requests.replicaOf],
  });
};

describe("a single request on an idle device", () => {
  test("takes one step per chunk of its prompt and one per further output token", () => {
    const result = simulate(
      testConfig({ workload: { kind: "open", requests: testRequests([{ prompt: 1200, output: 10 }]) } }),
    );
    // 1200 tokens in chunks of 512 make three steps, the last of which emits the first token.
    expect(result.steps).toBe(3 + 9);
    expect(result.outputTokens).toBe(10);
    expect(result.promptTokensComputed).toBe(1200);
    expect(result.itl.count).toBe(9);
  });

  test("without chunking computes the whole prompt in one step", () => {
    const base = testConfig();
    const result = simulate({
      ...base,
      scheduler: { ...base.scheduler, chunkedPrefill: false },
      workload: { kind: "open", requests: testRequests([{ prompt: 1200, output: 10 }]) },
    });
    expect(result.steps).toBe(1 + 9);
  });

  test("pays the fixed overheads of its layers and steps exactly", () => {
    // An infinitely fast device leaves only overheads: 4 layers x 10 kernels x 1 us + 100 us + 1 us per sequence.
    const device = { peak: { bf16: 1e30 }, memoryBytesPerSecond: 1e30 };
    const result = simulate(
      testConfig({
        node: testNode(device),
        workload: { kind: "open", requests: testRequests([{ at: 5000, prompt: 100, output: 3 }]) },
      }),
    );
    const stepNs = 4 * 10 * 1000 + 100_000 + 1000;
    // Times count from the first arrival.
    expect(result.requests.firstTokenNs[0]).toBe(stepNs);
    expect(result.requests.lastTokenNs[0]).toBe(3 * stepNs);
  });
});

describe("scheduling", () => {
  test("a longer context never makes a decode step cheaper", () => {
    const tpot = (prompt: number) => {
      const { requests } = simulate(
        testConfig({ workload: { kind: "open", requests: testRequests([{ prompt, output: 20 }]) } }),
      );
      return requests.lastTokenNs[0]! - requests.firstTokenNs[0]!;
    };
    expect(tpot(2000)).toBeGreaterThan(tpot(200));
  });

  test("prefill-only steps are used where the engine does not mix them with decodes", () => {
    const requests = testRequests([
      { at: 0, prompt: 100, output: 50 },
      { at: 1_000_000, prompt: 500, output: 50 },
    ]);
    const mixed = simulate(testConfig({ workload: { kind: "open", requests } }));
    const apart = simulate(
      testConfig({ engine: testEngine({ mixesPrefillWithDecode: false }), workload: { kind: "open", requests } }),
    );
    // The running request waits for the other's prompt and then for its own decode step.
    expect(apart.itl.max()).toBeGreaterThan(mixed.itl.max());
  });

  test("a whole prompt as long as the token budget is not starved by decodes", () => {
    const base = testConfig();
    const requests = testRequests([
      { at: 0, prompt: 100, output: 1000 },
      { at: 1_000_000, prompt: 512, output: 5 },
    ]);
    const { requests: rows } = simulate({
      ...base,
      scheduler: { ...base.scheduler, chunkedPrefill: false },
      workload: { kind: "open", requests },
    });
    expect(rows.firstTokenNs[1]!).toBeLessThan(rows.lastTokenNs[0]! / 10);
  });

  test("requests that can never fit are rejected and counted", () => {
    const result = simulate(
      testConfig({
        workload: {
          kind: "open",
          requests: testRequests([
            { prompt: 5000, output: 10 },
            { prompt: 50, output: 10 },
          ]),
        },
      }),
    );
    expect([...result.requests.status]).toEqual([requestStatus.rejected, requestStatus.completed]);
  });

  test("short KV memory preempts the youngest request and still finishes everything", () => {
    const base = testConfig();
    const tight = (memoryBytes: number) =>
      simulate({
        ...base,
        node: testNode({ memoryBytes }),
        workload: {
          kind: "open",
          requests: testRequests(Array.from({ length: 12 }, () => ({ prompt: 300, output: 400 }))),
        },
      });
    const roomy = tight(1e9);
    const memory = roomy.memory.tiers[0]!;
    const fixed = memory.usedBytes - memory.items.find((item) => item.name.startsWith("KV"))!.bytes;
    // Room for about four of the twelve requests at their full length.
    const short = tight((fixed + 4 * 700 * roomy.memory.kvBytesPerToken) / 0.9);
    expect(roomy.kv.preemptions).toBe(0);
    expect(short.kv.preemptions).toBeGreaterThan(0);
    expect(short.requests.status.every((status) => status === requestStatus.completed)).toBe(true);
    expect(short.requests.preemptions[0]).toBe(0);
    expect(short.outputTokens).toBe(12 * 400);
  });

  test("a closed loop keeps exactly its number of requests in the system", () => {
    const result = simulate(testConfig({ workload: { kind: "closed", concurrency: 3, requests: many(20, 1, 1) } }));
    const { arrivalNs, lastTokenNs } = result.requests;
    for (let i = 3; i < 20; i++) {
      const inSystem = Array.from(arrivalNs).filter((at, j) => at <= arrivalNs[i]! && lastTokenNs[j]! > arrivalNs[i]!);
      expect(inSystem.length).toBe(3);
    }
  });

  test("replicas behind a router share the load and nothing else", () => {
    const requests = many(40, 2, 1000);
    const result = simulate(
      testConfig({ replicas: 2, router: routers["round-robin"], workload: { kind: "open", requests } }),
    );
    expect([...result.requests.replicaOf].filter((replica) => replica === 0).length).toBe(20);
  });
});

describe("mappings", () => {
  const mappings = {
    tp2: { ...singleDevice, tp: 2, etp: 2 },
    "tp2 ep2": { ...singleDevice, tp: 2, ep: 2 },
    "dp4 ep4": { ...singleDevice, dp: 4, ep: 4 },
    "tp2 dp2, ep2 etp2": { ...singleDevice, tp: 2, dp: 2, ep: 2, etp: 2 },
    pp2: { ...singleDevice, pp: 2 },
  };
  for (const [name, mapping] of Object.entries(mappings)) {
    test(`${name} completes every request under all laws`, () => {
      const requests = many(60, 3, 2e6);
      const result = simulate(testConfig({ mapping, workload: { kind: "open", requests } }));
      expect(result.requests.status.every((status) => status === requestStatus.completed)).toBe(true);
      expect(result.laws["causality"]).toBe(60);
      if (mapping.ep > 1) expect(result.rankLoad.length).toBe(mapping.ep);
    });
  }

  test("two pipeline stages overlap the steps of different requests", () => {
    const requests = testRequests(Array.from({ length: 8 }, () => ({ prompt: 64, output: 100 })));
    const one = simulate(testConfig({ workload: { kind: "open", requests } }));
    const two = simulate(testConfig({ mapping: { ...singleDevice, pp: 2 }, workload: { kind: "open", requests } }));
    // More steps in all, yet the stages work at the same time.
    expect(two.steps).toBeGreaterThan(one.steps);
    expect(two.endNs).toBeLessThan(two.replicaBusyNs[0]!);
  });

  test("expert tensor parallelism alone leaves no rank imbalance", () => {
    const result = simulate(
      testConfig({
        mapping: { ...singleDevice, tp: 4, etp: 4 },
        workload: { kind: "open", requests: many(10, 4, 1e6) },
      }),
    );
    for (const layer of result.layers) expect(layer.imbalance).toBe(1);
    const { promptWait, attentionWait, expertWait } = result.time;
    expect([promptWait, attentionWait, expertWait]).toEqual([0, 0, 0]);
  });
});

describe("metamorphic laws", () => {
  const workload = { kind: "open", requests: many(30, 5, 3e6) } as const;

  test("the same inputs give the same bytes", () => {
    const config = testConfig({ mapping: { ...singleDevice, dp: 2, ep: 2 }, workload });
    expect(fingerprint(config)).toBe(fingerprint(config));
  });

  test("appending requests after the last completion leaves the earlier ones unchanged", () => {
    const before = simulate(testConfig({ workload }));
    const later = testRequests([
      ...Array.from({ length: 30 }, (_, i) => ({
        at: workload.requests.arrivalNs[i]!,
        prompt: workload.requests.promptTokens[i]!,
        output: workload.requests.outputTokens[i]!,
      })),
      { at: before.endNs + 1e9, prompt: 100, output: 10 },
    ]);
    const after = simulate(testConfig({ workload: { kind: "open", requests: later } }));
    expect([...after.requests.lastTokenNs.subarray(0, 30)]).toEqual([...before.requests.lastTokenNs]);
  });

  test("scaling all bytes moved per second and all bandwidths leaves times unchanged", () => {
    // Doubling peak, bandwidth, overhead rates and the clock together: every time halves, up to rounding to 1 ns.
    const fast = testNode();
    const half = {
      ...fast.device,
      peak: { bf16: 0.5e14 },
      memoryBytesPerSecond: 0.5e12,
      scaleUp: { ...fast.device.scaleUp!, bytesPerSecond: 0.5e11, latencyNs: 2000 },
      efficiency: { ...fast.device.efficiency, collectiveLatencyNs: 4000 },
    };
    const requests = testRequests([{ prompt: 300, output: 40 }]);
    const mapping = { ...singleDevice, dp: 2, ep: 2 };
    const quick = simulate(testConfig({ mapping, workload: { kind: "open", requests } }));
    const slow = simulate(
      testConfig({
        mapping,
        node: { ...fast, device: half },
        engine: testEngine({ stepOverheadNs: 200_000, sequenceOverheadNs: 2000, kernelOverheadNs: 2000 }),
        workload: { kind: "open", requests },
      }),
    );
    expect(Math.abs(slow.endNs - 2 * quick.endNs)).toBeLessThanOrEqual(2 * slow.steps);
  });

  test("relabelling experts consistently in trace and placement changes nothing", () => {
    const table = testRouting();
    const relabel = [3, 7, 1, 0, 6, 2, 5, 4];
    const placementOf = (label: (expert: number) => number) => ({
      layers: 4,
      experts: 8,
      ranks: 2,
      physicalExpertsPerRank: 4,
      logicalExperts: Uint16Array.from({ length: 4 * 8 }, (_, i) => label(i % 8)),
    });
    const mapping = { ...singleDevice, dp: 2, ep: 2 };
    const run = (ids: Uint8Array, label: (expert: number) => number) =>
      simulate(
        testConfig({
          mapping,
          workload,
          placement: placementOf(label),
          routing: { kind: "replay", table: { ...table, ids }, layerMap: [0, 1, 2, 3], start: "random" },
        }),
      );
    const plain = run(table.ids as Uint8Array, (e) => e);
    const other = run(
      Uint8Array.from(table.ids, (id) => relabel[id]!),
      (e) => relabel[e]!,
    );
    expect([...other.requests.lastTokenNs]).toEqual([...plain.requests.lastTokenNs]);
  });

  test("histogram prefill counts equal counting row by row", () => {
    // An expert cache turns the histograms off; with one slot per expert it costs nothing after the first touch.
    const table = testRouting(4, 8, 2, 5000);
    const routing = { kind: "replay", table, layerMap: [0, 1, 2, 3], start: "random" } as const;
    const requests = many(20, 6, 5e6);
    const plain = simulate(testConfig({ routing, workload: { kind: "open", requests } }));
    const cached = simulate(
      testConfig({
        routing,
        workload: { kind: "open", requests },
        offload: testOffload({ logAccessesMax: 1e6 }),
      }),
    );
    // Totals per layer agree whatever the timing.
    expect(cached.layers.map((layer) => layer.pairs)).toEqual(plain.layers.map((layer) => layer.pairs));
  });
});

describe("expert cache", () => {
  const offload = (slots: number, policy: keyof typeof cachePolicies, hostBytes = 64e9) =>
    testOffload({
      policy: cachePolicies[policy],
      slots,
      hostBytes,
      popularity: Float64Array.from({ length: 32 }, (_, i) => 8 - (i % 8)),
      logAccessesMax: 1e6,
    });
  const workload = { kind: "closed", concurrency: 1, requests: many(15, 7, 1) } as const;

  test("hits and misses are accesses, and every miss moves one expert", () => {
    const { cache } = simulate(testConfig({ workload, offload: offload(4, "lru") }));
    expect(cache!.hits + cache!.misses).toBe(cache!.accesses);
    expect(cache!.fetchedBytes).toBe(cache!.misses * 3 * 256 * 128 * 2);
    expect(cache!.stallNs).toBeGreaterThan(0);
  });

  test("a cache of all experts misses each expert once per layer at most", () => {
    const { cache } = simulate(testConfig({ workload, offload: offload(8, "lru") }));
    expect(cache!.misses).toBeLessThanOrEqual(4 * 8);
  });

  test("more slots never lower the hit rate of LRU, and the optimum bounds every policy", () => {
    let before = -1;
    for (const slots of [2, 3, 4, 5, 6, 8]) {
      const { cache } = simulate(testConfig({ workload, offload: offload(slots, "lru") }));
      const rate = cache!.hits / cache!.accesses;
      expect(rate).toBeGreaterThanOrEqual(before);
      before = rate;
      expect(cache!.reference!.policy).toBeCloseTo(rate, 12);
      expect(cache!.reference!.belady).toBeGreaterThanOrEqual(cache!.reference!.lru);
    }
  });

  test("host memory that holds only some experts reads the rest from NVMe, slower", () => {
    const all = simulate(testConfig({ workload, offload: offload(4, "lru") }));
    const few = simulate(testConfig({ workload, offload: offload(4, "lru", 8 * 3 * 256 * 128 * 2) }));
    expect(all.cache!.diskReads).toBe(0);
    expect(few.cache!.diskReads).toBeGreaterThan(0);
    expect(few.endNs).toBeGreaterThan(all.endNs);
    expect(few.cache!.hits).toBe(all.cache!.hits);
  });
});

test("models with dense layers, shared experts and MLA run", () => {
  const tiny = tinyModel();
  const moe = tiny.layers[0]!.feedForward;
  if (moe.kind !== "moe") throw new Error("not an MoE");
  const model = tinyModel({
    layers: [
      { attention: tinyMla, feedForward: { kind: "dense", width: 512, matrices: 3 } },
      ...Array.from({ length: 3 }, () => ({ attention: tinyMla, feedForward: { ...moe, sharedWidth: 128 } })),
    ],
  });
  const result = simulate(
    testConfig({
      model,
      routing: { kind: "replay", table: testRouting(3), layerMap: [0, 1, 2], start: "zero" },
      workload: { kind: "open", requests: many(10, 8, 1e6) },
    }),
  );
  expect(result.time.dense).toBeGreaterThan(0);
  expect(result.time.sharedExperts).toBeGreaterThan(0);
  // MLA keeps latent + rope values per token and layer: (32 + 16) x 2 bytes x 4 layers.
  expect(result.memory.kvBytesPerToken).toBe(48 * 2 * 4);
});
