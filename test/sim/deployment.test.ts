import { describe, expect, test } from "vitest";
import { InfeasibleError } from "../../src/core/errors.ts";
import { CostModel } from "../../src/hardware/cost.ts";
import { routers } from "../../src/policy/router/routers.ts";
import type { SimConfig } from "../../src/sim/config.ts";
import { planMemory } from "../../src/sim/memory/memory-plan.ts";
import { requestStatus } from "../../src/sim/result.ts";
import { simulate } from "../../src/sim/simulate.ts";
import { StepCost } from "../../src/sim/step/step-cost.ts";
import {
  singleDevice,
  testConfig,
  testEngine,
  testNode,
  testRequests,
  testRouting,
  tinyModel,
  tinyScan,
} from "./build.ts";

const tiny = tinyModel();
const { attention, feedForward: moe } = tiny.layers[0]!;
if (moe.kind !== "moe" || attention.kind !== "gqa") throw new Error("unexpected tiny model");
const dense = { kind: "dense" as const, width: 512, matrices: 3 as const };

function plan(overrides: Partial<SimConfig>) {
  const config = testConfig({ routing: { kind: "uniform" }, ...overrides });
  const cost = new StepCost(config, new CostModel(config.node.device, config.node));
  return planMemory(config, cost.attention);
}
const one = (prompt: number, output = 1) => ({ kind: "open", requests: testRequests([{ prompt, output }]) }) as const;
const uniform = { kind: "uniform" } as const;
/** Prompts alone: kernels and transfers between devices take so many times as long as alone. */
const { collectiveFactor } = testEngine();
const instant = { peak: { bf16: 1e30 }, memoryBytesPerSecond: 1e30 };

describe("memory", () => {
  test("the stage with the fewest KV blocks binds, though another holds more weights", () => {
    const none = { kind: "none" as const };
    // The first stage has heavier layers without caches, the second all the KV.
    const heavy = { kind: "dense" as const, width: 8192, matrices: 3 as const };
    const model = tinyModel({
      layers: [
        { attention: none, feedForward: heavy },
        { attention: none, feedForward: heavy },
        { attention, feedForward: moe },
        { attention, feedForward: moe },
      ],
    });
    const { map } = plan({ model, mapping: { ...singleDevice, pp: 2 }, node: testNode({ memoryBytes: 50e6 }) });
    expect(map.kvBytesPerToken).toBe(2 * 4 * 64 * 2);
    const blockBytes = map.kvBytesPerToken * 16;
    const fixed = map.tiers[0]!.items.filter(({ name }) => !name.startsWith("KV")).reduce((sum, i) => sum + i.bytes, 0);
    expect(map.kvBlocks).toBe(Math.min(32 * 256, Math.floor((45e6 - fixed) / blockBytes)));
    expect(map.tiers[0]!.items.some(({ name }) => name.startsWith("routed"))).toBe(true);
  });

  test("a model of windows is refused when its weights do not fit, and holds a window and a step of every sequence", () => {
    const windowed = { ...attention, windowTokens: 32 };
    const model = tinyModel({ layers: [{ attention: windowed, feedForward: moe }] });
    expect(() => plan({ model, node: testNode({ memoryBytes: 1e6 }) })).toThrow(InfeasibleError);
    expect(plan({ model }).map.kvBlocks).toBe(32 * (Math.ceil((31 + 512) / 16) + 1));
  });

  test("no more KV blocks are set aside than all sequences of the longest context can use", () => {
    expect(plan({}).map.kvBlocks).toBe(32 * (4096 / 16));
  });
});

describe("time of model parts", () => {
  test("uniform routing touches E (1 - (1 - k/E)^T) experts; of two ranks the busier holds more than half of the work", () => {
    const tokens = 5;
    const run = (ep: number) =>
      simulate(
        testConfig({
          model: tinyModel({}, 1),
          routing: uniform,
          mapping: { ...singleDevice, tp: ep, ep },
          workload: one(tokens),
        }),
      ).time.experts;
    const node = testNode();
    const cost = new CostModel(node.device, node);
    const experts = (ranks: number) =>
      cost.opNs({
        kind: "groupedGemm",
        pairs: (tokens * 2) / ranks,
        distinctExperts: (8 * (1 - 0.75 ** tokens)) / ranks,
        presentedPairs: 0,
        parametersPerExpert: 3 * 256 * 128,
        shardWidth: 1,
        valuesPerPair: 2 * 256 + 3 * 128,
        weightFormat: "bf16",
        math: "bf16",
      });
    const router = cost.opNs({
      kind: "gemm",
      tokens,
      inputWidth: 256,
      outputWidth: 8,
      weightFormat: "bf16",
      math: "bf16",
    });
    expect(run(1)).toBeCloseTo(router + experts(1), 6);
    // Components book the mean rank; a layer lasts as long as the busier one.
    expect(run(2)).toBeCloseTo(router + experts(2), 3);
  });

  test("under uniform routing a token meets G (1 - C(E - E/G, k) / C(E, k)) of the ranks", () => {
    const node = testNode();
    const { time } = simulate(
      testConfig({
        model: tinyModel({}, 1),
        routing: uniform,
        mapping: { ...singleDevice, dp: 4, ep: 4 },
        workload: one(100),
      }),
    );
    // Two of eight experts, two in each of four ranks: a rank is missed with probability C(6, 2) / C(8, 2).
    const spread = 4 * (1 - 15 / 28);
    const exchange = new CostModel(node.device, node).opNs({
      kind: "allToAll",
      bytes: 100 * spread * 0.75 * 256 * 2,
      ranks: 4,
      ranksPerNode: 8,
    });
    expect(time.dispatch).toBeCloseTo(collectiveFactor * exchange, 6);
  });

  test("latent experts go down to their width before and up after", () => {
    const model = tinyModel({ layers: [{ attention, feedForward: { ...moe, expertHidden: 64 } }] });
    const node = testNode();
    const cost = new CostModel(node.device, node);
    const gemm = (inputWidth: number, outputWidth: number) =>
      cost.opNs({ kind: "gemm", tokens: 40, inputWidth, outputWidth, weightFormat: "bf16", math: "bf16" });
    const experts = cost.opNs({
      kind: "groupedGemm",
      pairs: 80,
      distinctExperts: 8 * (1 - 0.75 ** 40),
      presentedPairs: 0,
      parametersPerExpert: 3 * 64 * 128,
      shardWidth: 1,
      valuesPerPair: 2 * 64 + 3 * 128,
      weightFormat: "bf16",
      math: "bf16",
    });
    const { time } = simulate(testConfig({ model, routing: uniform, workload: one(40) }));
    const all = gemm(256, 8) + gemm(256, 64) + experts + gemm(64, 256);
    expect(time.experts).toBeCloseTo(all, 6);
  });

  test("quantised expert kernels raise the overhead of MoE layers only", () => {
    const model = tinyModel({
      layers: [
        { attention, feedForward: dense },
        { attention, feedForward: moe },
      ],
    });
    const overhead = (experts: "bf16" | "fp8_block" | "int4") =>
      simulate(testConfig({ model, formats: { ...model.formats, experts }, routing: uniform, workload: one(10) })).time
        .kernelOverhead;
    expect(overhead("bf16")).toBeCloseTo(20_000, 6);
    expect(overhead("fp8_block")).toBeCloseTo(10_000 + 14_000, 6);
    expect(overhead("int4")).toBeCloseTo(10_000 + 15_000, 6);
  });

  test("recurrent state is read and written once per sequence", () => {
    const linear = {
      kind: "linear" as const,
      projectionParameters: 0,
      stateValues: 5e6,
      smallParameters: 0,
      scan: tinyScan,
    };
    const attentionNs = (stateValues: number) => {
      const model = tinyModel({ layers: [{ attention: { ...linear, stateValues }, feedForward: dense }] });
      return simulate(testConfig({ model, routing: uniform, workload: one(10) })).time.attention;
    };
    // 5e6 values of two bytes, twice, at 1e12 bytes/s.
    expect(attentionNs(5e6) - attentionNs(0)).toBeCloseTo((2 * 1e7) / 1000, 6);
  });

  test("hidden states cross to the next stage in shares of tp, over the network where a stage fills a node", () => {
    const handoff = (devicesPerNode: number) => {
      const node = { ...testNode({ scaleUpDomain: devicesPerNode }), devicesPerNode };
      return simulate(testConfig({ node, mapping: { ...singleDevice, tp: 2, etp: 2, pp: 2 }, workload: one(100) })).time
        .pipeline;
    };
    const bytes = (100 * 256 * 2) / 2;
    expect(handoff(4)).toBeCloseTo(1000 + bytes / 100, 6);
    expect(handoff(2)).toBeCloseTo(5000 + bytes / 10, 6);
  });

  test("the host's time per sequence counts the fullest data-parallel rank", () => {
    const requests = testRequests(Array.from({ length: 5 }, () => ({ prompt: 10, output: 1 })));
    const { time } = simulate(
      testConfig({ mapping: { ...singleDevice, dp: 2, ep: 2 }, workload: { kind: "open", requests } }),
    );
    expect(time.hostOverhead).toBe(100_000 + 3 * 1000);
  });

  test("a slow stage holds up the steps behind it", () => {
    // The second stage alone has the expensive head and the host: it is busy all the time, one step after another.
    const model = tinyModel({ vocabSize: 4_000_000 });
    const requests = testRequests(Array.from({ length: 2 }, () => ({ prompt: 8, output: 30 })));
    const result = simulate(
      testConfig({
        model,
        node: testNode({ memoryBytes: 1e11 }),
        mapping: { ...singleDevice, pp: 2 },
        workload: { kind: "open", requests },
      }),
    );
    const headNs = (4_000_000 * 256 * 2) / 1e3;
    expect(result.endNs).toBeGreaterThan(result.steps * headNs);
    expect(result.steps).toBe(60);
  });
});

describe("routing of requests and of tokens", () => {
  test("a replica is chosen first, then one of its data-parallel ranks", () => {
    const requests = testRequests(Array.from({ length: 8 }, (_, i) => ({ at: i * 1000, prompt: 10, output: 3 })));
    const { requests: rows } = simulate(
      testConfig({ mapping: { ...singleDevice, dp: 2, ep: 2 }, replicas: 2, workload: { kind: "open", requests } }),
    );
    expect([...rows.replicaOf]).toEqual([0, 1, 0, 1, 0, 1, 0, 1]);
  });

  test("a request goes to the replica with less to do, also after others have finished", () => {
    // A long one, then short ones: all of them go to the other replica, which is empty each time.
    const requests = testRequests([
      { at: 0, prompt: 1000, output: 400 },
      ...Array.from({ length: 6 }, (_, i) => ({ at: 1000 + i * 5e6, prompt: 300, output: 3 })),
    ]);
    const { requests: rows } = simulate(
      testConfig({ replicas: 2, router: routers["least-loaded"], workload: { kind: "open", requests } }),
    );
    expect([...rows.replicaOf]).toEqual([0, 1, 1, 1, 1, 1, 1]);
  });

  test("a rejected request of a closed loop gives way to its client's next one", () => {
    const requests = testRequests(
      Array.from({ length: 9 }, (_, i) => ({ prompt: i % 2 === 0 ? 5000 : 20, output: 4 })),
    );
    const { requests: rows } = simulate(testConfig({ workload: { kind: "closed", concurrency: 2, requests } }));
    expect(rows.status.filter((status) => status === requestStatus.completed).length).toBe(4);
    expect(rows.status.filter((status) => status === requestStatus.rejected).length).toBe(5);
  });

  test("a request is scheduled when its first chunk starts, and never again", () => {
    const { requests: rows } = simulate(testConfig({ workload: one(1200, 5) }));
    expect(rows.scheduledNs[0]).toBe(0);
  });

  test("a request that arrives at the very end of a step takes part in the next one", () => {
    const stepNs = 101_000 + 4 * 10_000;
    const requests = testRequests([
      { at: 0, prompt: 10, output: 2 },
      { at: stepNs, prompt: 10, output: 1 },
    ]);
    const { requests: rows } = simulate(testConfig({ node: testNode(instant), workload: { kind: "open", requests } }));
    expect(rows.scheduledNs[1]).toBe(stepNs);
  });

  test("tokens read the routing rows of their own positions", () => {
    // Row r sends its token to experts 2r and 2r + 1: four tokens of one request meet all eight.
    const table = { ...testRouting(1, 8, 2, 4), ids: Uint8Array.of(0, 1, 2, 3, 4, 5, 6, 7) };
    const { layers } = simulate(
      testConfig({
        model: tinyModel({}, 1),
        routing: { kind: "replay", table, layerMap: [0], start: "zero" },
        mapping: { ...singleDevice, tp: 2, ep: 2 },
        workload: one(2, 3),
      }),
    );
    // Steps of rows {0, 1}, {2}, {3}: all on one of the two ranks each.
    expect(layers[0]).toEqual({
      imbalance: 2,
      imbalanceMax: 2,
      expertSkew: 1,
      distinctExperts: (4 + 2 + 2) / 3,
      pairs: 8,
    });
  });

  test("one recorded layer may stand for several, placed differently in each", () => {
    const table = { ...testRouting(2, 8, 2, 1), ids: Uint8Array.of(0, 1, 6, 7) };
    const placement = {
      layers: 3,
      experts: 8,
      ranks: 2,
      physicalExpertsPerRank: 5,
      // The last layer keeps experts 6 and 7 apart; empty slots hold nothing.
      logicalExperts: Uint16Array.from(
        [
          [0, 1, 2, 3, 65535, 4, 5, 6, 7, 65535],
          [0, 1, 2, 3, 65535, 4, 5, 6, 7, 65535],
          [0, 65535, 1, 2, 6, 3, 4, 65535, 5, 7],
        ].flat(),
      ),
    };
    const { layers, rankLoad } = simulate(
      testConfig({
        model: tinyModel({}, 3),
        routing: { kind: "replay", table, layerMap: [1, 0, 1], start: "zero" },
        mapping: { ...singleDevice, tp: 2, ep: 2 },
        placement,
        workload: one(7),
      }),
    );
    expect(layers.map((layer) => layer.imbalance)).toEqual([2, 2, 1]);
    expect(rankLoad).toEqual([(0 + 2 + 1) / 3, (2 + 0 + 1) / 3]);
  });
});
