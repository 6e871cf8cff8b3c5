import fc from "fast-check";
import { expect, test } from "vitest";
import { CostModel } from "../../src/hardware/cost.ts";
import type { Node } from "../../src/hardware/device.ts";
import type { PoolConfig, SimConfig } from "../../src/sim/config.ts";
import { type CpKvCache, cpKvCaches } from "../../src/sim/mapping.ts";
import { planMemory } from "../../src/sim/memory/memory-plan.ts";
import { ExpectedExperts } from "../../src/sim/routing/expected-experts.ts";
import { simulate } from "../../src/sim/simulate.ts";
import { addChunk, emptyBatch, type RankBatch } from "../../src/sim/step/batch.ts";
import { ContextShares } from "../../src/sim/step/context-shares.ts";
import { moeLayers, stagePlans } from "../../src/sim/step/stage-plan.ts";
import { component } from "../../src/sim/step/step-accounts.ts";
import { StepCost } from "../../src/sim/step/step-cost.ts";
import { drawn } from "../drawn.ts";
import { singleDevice, testConfig, testEngine, testNode, testRequests, tinyMla, tinyModel } from "./build.ts";

const free = { name: "free", bytesPerSecond: 1e30, latencyNs: 0, efficiency: 1 };

/** Links that take no time, and memory that only arithmetic waits for nothing of. */
function idealNode(memoryBytesPerSecond = 1e30): Node {
  const node = testNode({ scaleUp: free, scaleOut: free, memoryBytes: 1e12, memoryBytesPerSecond });
  const efficiency = { ...node.device.efficiency, collectiveLatencyNs: 0, collectiveLatencyNsScaleOut: 0 };
  return { ...node, device: { ...node.device, efficiency } };
}

const configOf = (cp: number, cpKvCache: CpKvCache, overrides: Partial<SimConfig> = {}): SimConfig =>
  testConfig({
    mapping: { ...singleDevice, cp, ep: cp },
    cpKvCache,
    node: idealNode(),
    engine: testEngine({ collectiveFactor: 1 }),
    routing: { kind: "uniform" },
    ...overrides,
  });

/** Time components and booked link bytes of one step of the first stage. */
function stepOf(config: PoolConfig, batch: (windows: Float64Array) => RankBatch) {
  const cost = new StepCost(config, new CostModel(config.node.device, config.node));
  const [plan] = stagePlans(config.model, 1);
  const experts = new ExpectedExperts(moeLayers(config.model), config.mapping.ep, 0);
  const batches = Array.from({ length: config.mapping.dp }, () => batch(cost.windows));
  const ns = cost.stageNs(plan!, 0, batches, experts, false);
  return { ns, cost, attentionNs: cost.components[component.attention]!, bytes: cost.links.bytes };
}

const prompt =
  (tokens: number, done = 0) =>
  (windows: Float64Array) => {
    const batch = emptyBatch(windows.length);
    addChunk(batch, windows, done, tokens, false);
    return batch;
  };
const decodes = (sequences: number, context: number) => (windows: Float64Array) => {
  const batch = emptyBatch(windows.length);
  for (let i = 0; i < sequences; i++) addChunk(batch, windows, context - 1, 1, true);
  return batch;
};

test("a group of one shares nothing: the batches are the same objects", () => {
  const batches = [emptyBatch(1)];
  expect(new ContextShares(singleDevice, 1, 1).of(batches)).toBe(batches);
});

test("the shares of a group add up to its batch, and each reads the keys of all", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 2, max: 9 }),
      fc.constantFrom(...cpKvCaches),
      fc.array(fc.record({ done: fc.nat(500), tokens: fc.integer({ min: 1, max: 300 }), decode: fc.boolean() })),
      (cp, kept, chunks) => {
        const windows = Float64Array.of(64, Number.POSITIVE_INFINITY);
        const batch = emptyBatch(2);
        for (const { done, tokens, decode } of chunks) addChunk(batch, windows, done, decode ? 1 : tokens, decode);
        const shards = kept === "sharded" ? cp : 1;
        const [share] = new ContextShares({ ...singleDevice, cp }, shards, 2).of([batch]);
        expect(cp * share!.prefillTokens).toBeGreaterThanOrEqual(batch.prefillTokens);
        expect(cp * (share!.prefillTokens - 1)).toBeLessThan(Math.max(1, batch.prefillTokens));
        expect(share!.tokens).toBe(share!.prefillTokens + batch.decodeTokens);
        expect(share!.keyTokens).toBe(batch.prefillTokens);
        for (let w = 0; w < 2; w++) {
          expect(cp * share!.prefillPairs[w]!).toBeCloseTo(batch.prefillPairs[w]!, 3);
          expect(shards * share!.decodeKeys[w]!).toBeCloseTo(batch.decodeKeys[w]!, 3);
          expect(share!.prefillKeys[w]).toBe(batch.prefillKeys[w]);
        }
      },
    ),
    { numRuns: drawn(50) },
  );
});

test("on free links and with free memory, attention of a prompt takes a cp-th of the time", () => {
  for (const kept of cpKvCaches)
    for (const cp of [2, 4, 8]) {
      const alone = stepOf(configOf(1, kept), prompt(4096)).attentionNs;
      expect(cp * stepOf(configOf(cp, kept), prompt(4096)).attentionNs).toBeCloseTo(alone, 3);
    }
});

test("decodes over a replicated cache gain nothing; over a sharded one each rank reads its part of the keys", () => {
  // So slow a memory that nothing else counts.
  const node = idealNode(1e9);
  const ns = (cp: number, kept: CpKvCache, context: number) =>
    stepOf(configOf(cp, kept, { node }), decodes(32, context)).attentionNs;
  expect(ns(4, "replicated", 4000)).toBe(ns(1, "sharded", 4000));
  const ofKeys = (cp: number) => ns(cp, "sharded", 4000) - ns(cp, "sharded", 400);
  expect(4 * ofKeys(4)).toBeCloseTo(ofKeys(1), 3);
});

test("keys are gathered before prompts, partial outputs merged after decodes of a sharded cache: bytes by hand", () => {
  // 4 layers of 4 key-value heads of 32 keys and values, 8 query heads, 16 bits; a product sums nothing on one device.
  const dense = tinyModel({
    layers: tinyModel().layers.map((layer) => ({
      ...layer,
      feedForward: { kind: "dense", width: 64, matrices: 3 } as const,
    })),
  });
  const bytes = (kept: CpKvCache, batch: (windows: Float64Array) => RankBatch) =>
    stepOf(configOf(4, kept, { model: dense, mapping: { ...singleDevice, cp: 4 } }), batch).bytes;
  const key = 4 * 2 * 32 * 2;
  expect(bytes("replicated", prompt(100, 60))).toBe(4 * 100 * key);
  expect(bytes("sharded", prompt(100, 60))).toBe(4 * 160 * key);
  expect(bytes("replicated", decodes(7, 90))).toBe(0);
  expect(bytes("sharded", decodes(7, 90))).toBe(4 * 7 * (8 * 32 * 2 + 8 * 4));
});

test("the ranks of a sharded cache keep together what one would keep, in blocks of as many bytes", () => {
  const mla = tinyModel({ layers: tinyModel().layers.map((layer) => ({ ...layer, attention: tinyMla })) });
  for (const model of [tinyModel(), mla]) {
    const memory = (cp: number, kept: CpKvCache) => {
      const config = configOf(cp, kept, { model, node: testNode({ memoryBytes: 2e7 }) });
      return planMemory(config, new StepCost(config, new CostModel(config.node.device, config.node)).attention);
    };
    const alone = memory(1, "sharded");
    expect(4 * memory(4, "sharded").map.kvBytesPerToken).toBe(alone.map.kvBytesPerToken);
    expect(memory(4, "replicated").map.kvBytesPerToken).toBe(alone.map.kvBytesPerToken);
    // Each rank has fewer experts than one device would, so at least four times as many tokens fit.
    expect(memory(4, "sharded").kv.sequenceTokensMax).toBeGreaterThanOrEqual(
      Math.min(4096, 4 * memory(4, "replicated").kv.sequenceTokensMax - 64),
    );
  }
});

test("on ideal links more context-parallel ranks never make a long prompt slower", () => {
  const requests = testRequests([{ prompt: 3000, output: 1 }]);
  const first = (cp: number, kept: CpKvCache) =>
    simulate(configOf(cp, kept, { node: idealNode(1e12), workload: { kind: "open", requests } })).requests
      .firstTokenNs[0]!;
  for (const kept of cpKvCaches) {
    const times = [1, 2, 4, 8].map((cp) => first(cp, kept));
    expect(times).toEqual(times.toSorted((a, b) => b - a));
    expect(times[3]).toBeLessThan(times[0]!);
  }
});

test("experts get the tokens of a divided prompt as those of as many data-parallel ranks", () => {
  for (const exchange of ["allToAll", "allGatherReduceScatter", "broadcastAllReduce", "deepep"] as const) {
    const engine = testEngine({ expertExchange: exchange });
    const step = (mapping: Partial<SimConfig["mapping"]>, tokens: number) =>
      stepOf(
        configOf(1, "replicated", { engine, node: testNode(), mapping: { ...singleDevice, ...mapping } }),
        prompt(tokens),
      ).cost.components;
    const context = step({ cp: 4, ep: 4 }, 512);
    const data = step({ dp: 4, ep: 4 }, 128);
    for (const key of ["experts", "expertWait", "dispatch", "combine"] as const)
      expect(context[component[key]], `${key} by ${exchange}`).toBeCloseTo(data[component[key]]!, 6);
    expect(context[component.dispatch]).toBeGreaterThan(0);
  }
});
