import fc from "fast-check";
import { expect, test } from "vitest";
import { engineNamed } from "../../../src/engine/catalogue.ts";
import type { EngineProfile } from "../../../src/engine/engine-profile.ts";
import { sglangExchange } from "../../../src/engine/exchange/sglang.ts";
import { CostModel } from "../../../src/hardware/cost.ts";
import type { Link } from "../../../src/hardware/device.ts";
import { nodeNamed } from "../../../src/hardware/named-profiles.ts";
import { modelNamed } from "../../../src/models/catalogue.ts";
import { LayerCall } from "../../../src/sim/routing/layer-call.ts";
import { simulate } from "../../../src/sim/simulate.ts";
import { emptyBatch } from "../../../src/sim/step/batch.ts";
import { ExpertExchange } from "../../../src/sim/step/expert-exchange.ts";
import { LinkTime } from "../../../src/sim/step/link-time.ts";
import { exposedNs } from "../../../src/sim/step/overlap.ts";
import { moeLayers } from "../../../src/sim/step/stage-plan.ts";
import { drawn } from "../../drawn.ts";
import { singleDevice, testConfig, testEngine, testNode, testRequests } from "../build.ts";

const free: Link = { name: "free", bytesPerSecond: 1e30, latencyNs: 0, efficiency: 1 };

interface Deployment {
  readonly dp: number;
  readonly prompt: number;
  readonly requests: number;
  readonly bytesPerSecond: number;
  readonly latencyNs: number;
}

/** Time of a run, and of the links between its devices. `exchanges: false` makes them take no time. */
function timed(deployment: Deployment, engine: Partial<EngineProfile>, exchanges = true) {
  const { dp, prompt, requests, bytesPerSecond, latencyNs } = deployment;
  const { efficiency } = testNode().device;
  const link = { ...free, bytesPerSecond };
  const node = testNode({
    scaleUp: exchanges ? link : free,
    scaleOut: exchanges ? link : free,
    efficiency: { ...efficiency, collectiveLatencyNs: exchanges ? latencyNs : 0, collectiveLatencyNsScaleOut: 0 },
  });
  const rows = Array.from({ length: requests }, () => ({ prompt, output: 5 }));
  const run = simulate(
    testConfig({
      node,
      engine: testEngine({ ...engine, stepOverheadNs: 0, sequenceOverheadNs: 0 }),
      mapping: { ...singleDevice, dp, ep: dp },
      workload: { kind: "open", requests: testRequests(rows) },
    }),
  );
  const links = run.resources.find(({ name }) => name === "device interconnect");
  return { run, ns: run.endNs, exchangeNs: links?.busyNs ?? 0 };
}

const deployment = fc.record({
  dp: fc.constantFrom(2, 4, 8),
  prompt: fc.integer({ min: 1, max: 200 }),
  requests: fc.integer({ min: 8, max: 24 }),
  bytesPerSecond: fc.constantFrom(1e8, 1e9, 1e10, 1e11),
  latencyNs: fc.constantFrom(0, 2000, 50_000),
});
const engines = fc.record({
  expertExchange: fc.constantFrom(
    "deepep" as const,
    "deepepNormal" as const,
    "deepepLowLatency" as const,
    "allToAll" as const,
    "allGatherReduceScatter" as const,
  ),
  halfBatchOrder: fc.constantFrom(
    { decodes: "twoBatchDecodes" as const, prompts: "twoBatchPrompts" as const },
    { decodes: "dualBatch" as const, prompts: "dualBatch" as const },
  ),
  capturesGraphs: fc.boolean(),
});

/** Steps are rounded to whole nanoseconds. */
const rounding = 100;

test("half batches never beat their computing alone or their exchange alone, and lose nothing to doing one after the other", () => {
  fc.assert(
    fc.property(deployment, engines, (where, chosen) => {
      const engine = { ...chosen, capturesGraphs: true, overlapsBatches: true };
      const beside = timed(where, engine);
      const computing = timed(where, engine, false).ns;
      expect(beside.ns).toBeGreaterThanOrEqual(Math.max(computing, beside.exchangeNs) - rounding);
      expect(beside.ns).toBeLessThanOrEqual(computing + beside.exchangeNs + rounding);
    }),
    { numRuns: drawn(25) },
  );
});

test("half batches are at most twice as fast as whole ones, and never faster over slower links", () => {
  fc.assert(
    fc.property(deployment, engines, (where, chosen) => {
      const engine = { ...chosen, capturesGraphs: true, overlapsBatches: true };
      const halves = timed(where, engine).ns;
      expect(halves).toBeGreaterThanOrEqual(timed(where, { ...chosen, capturesGraphs: true }).ns / 2 - rounding);
      const slower = { ...where, bytesPerSecond: where.bytesPerSecond / 3, latencyNs: where.latencyNs + 1000 };
      expect(timed(slower, engine).ns).toBeGreaterThanOrEqual(halves - rounding);
    }),
    { numRuns: drawn(25) },
  );
});

test("half batches cost no less computing than whole ones: launches double and each reads its experts", () => {
  fc.assert(
    fc.property(deployment, engines, (where, chosen) => {
      const whole = timed(where, chosen, false).ns;
      const halves = timed(where, { ...chosen, overlapsBatches: true }, false).ns;
      expect(halves).toBeGreaterThanOrEqual(whole - rounding);
    }),
    { numRuns: drawn(15) },
  );
});

test("each half launches its own kernels, reads its own experts and hides the other's exchange", () => {
  const where = { dp: 2, prompt: 64, requests: 16, bytesPerSecond: 1e9, latencyNs: 2000 };
  const apart = timed(where, { expertExchange: "deepep" });
  const beside = timed(where, { expertExchange: "deepep", overlapsBatches: true });
  expect(beside.run.time.kernelOverhead).toBeCloseTo(2 * apart.run.time.kernelOverhead, 3);
  expect(beside.run.time.experts).toBeGreaterThan(apart.run.time.experts);
  const shown = ({ run }: typeof apart) => run.time.dispatch + run.time.combine;
  expect(shown(beside)).toBeLessThan(shown(apart));
});

test("SGLang's two-batch overlap makes decodes of few sequences slower, and of many faster", () => {
  const model = modelNamed("deepseek-v3");
  const node = nodeNamed("h200-sxm-8");
  const sglang = { ...engineNamed("sglang"), requestOverheadNs: 0, stepOverheadNs: 0, sequenceOverheadNs: 0 };
  const size = { ranks: 64, expertRanks: 64, devicesPerNode: 8, nvlinkDomain: 8 };
  const site = { ...size, version: undefined, topK: 8, deviceName: node.device.name, computeCapability: 9 };
  const decodeNs = (sequences: number, enableTwoBatchOverlap: boolean): number => {
    const options = { moeA2aBackend: "deepep", deepepMode: "low_latency", enableTwoBatchOverlap } as const;
    const engine = { ...sglang, ...sglangExchange.choose(options, site).features };
    const rows = Array.from({ length: 64 * sequences }, () => ({ prompt: 1, output: 5 }));
    const run = simulate(
      testConfig({
        model,
        node,
        engine,
        mapping: { ...singleDevice, dp: 64, ep: 64 },
        workload: { kind: "open", requests: testRequests(rows) },
        routing: { kind: "uniform" },
      }),
    );
    return run.endNs;
  };
  expect(decodeNs(4, true)).toBeGreaterThan(1.2 * decodeNs(4, false));
  expect(decodeNs(256, true)).toBeLessThan(decodeNs(256, false));
});

test("steps with too few tokens on any busy rank run whole", () => {
  const where = { dp: 2, prompt: 40, requests: 16, bytesPerSecond: 1e9, latencyNs: 2000 };
  const whole = timed(where, { expertExchange: "deepep" });
  // 8 sequences a rank decode; prompts of 320 tokens a rank.
  const above = (decodes: number, prompts: number) =>
    timed(where, { expertExchange: "deepep", overlapsBatches: true, halvedAbove: { decodes, prompts } });
  expect(above(8, 320).ns).toBe(whole.ns);
  expect(above(7, 320).ns).not.toBe(whole.ns);
  expect(above(8, 319).ns).not.toBe(whole.ns);
  const single = { ...where, requests: 1 };
  expect(timed(single, { expertExchange: "deepep", overlapsBatches: true }).run.time.dispatch).toBeGreaterThan(0);
});

test("low-latency combining beside the last product hides what that product lasts, and prompts know nothing of it", () => {
  const where = { dp: 2, prompt: 1, requests: 16, bytesPerSecond: 1e9, latencyNs: 2000 };
  const apart = timed(where, { expertExchange: "deepepLowLatency" });
  const beside = timed(where, { expertExchange: "deepepLowLatency", overlapsCombine: true });
  expect(beside.run.time.combine).toBeLessThan(apart.run.time.combine);
  expect(beside.run.time.dispatch).toBe(apart.run.time.dispatch);
  const normal = timed(where, { expertExchange: "deepepNormal", overlapsCombine: true });
  expect(normal.ns).toBe(timed(where, { expertExchange: "deepepNormal" }).ns);
});

test("the kernels at both ends of a low-latency exchange run alone: all of it inside a node, a part of it between nodes", () => {
  const node = nodeNamed("h200-sxm-8");
  const cost = new CostModel(node.device, node, "sglang");
  const model = modelNamed("deepseek-v3");
  const moe = moeLayers(model)[0]!;
  const by = (expertExchange: EngineProfile["expertExchange"], ranks = 32) =>
    new ExpertExchange(
      testConfig({
        node,
        model,
        engine: testEngine({ expertExchange }),
        mapping: { ...singleDevice, dp: ranks, ep: ranks },
      }),
      cost,
      new LinkTime(cost, 1),
    );
  const exchange = by("deepepLowLatency");
  const batches = (tokens: number) => Array.from({ length: 32 }, () => ({ ...emptyBatch(1), tokens }));
  const forever = 1e9;
  const call = new LayerCall(32);
  call.expertsPerToken = moe.topK;
  for (const [kind, bytesPerValue] of [
    ["dispatch", 1],
    ["combine", 2],
  ] as const) {
    const { expertHidden: hidden, topK } = moe;
    const exchangeNs = (ranks: number) => {
      const where = { mode: "lowLatency", experts: moe.experts, ranks, ranksPerNode: 8 } as const;
      return cost.opNs({ kind, library: "deepep", ...where, tokens: 64, hidden, topK, bytesPerValue });
    };
    const ends = exchange.endsNs(moe, call, batches(128), kind, forever);
    expect(ends).toBeLessThan(exchangeNs(32) / 2);
    expect(by("deepepLowLatency", 8).endsNs(moe, call, batches(128), kind, exchangeNs(8))).toBe(exchangeNs(8));
    expect(exchange.endsNs(moe, call, batches(256), kind, forever)).toBeGreaterThan(ends);
    // They are part of the exchange.
    expect(exchange.endsNs(moe, call, batches(128), kind, 10)).toBe(10);
    expect(by("deepepNormal").endsNs(moe, call, batches(128), kind, forever)).toBe(0);
  }
  expect(exchange.takenShare(false)).toBe(0);
  expect(by("deepepNormal").takenShare(false)).toBeCloseTo(20 / 132, 12);
});

test("an exchange beside computing shows what outlasts it, and at least the compute that it takes away", () => {
  expect(exposedNs(10, 0, 1)).toBe(10);
  expect(exposedNs(10, 4, 0)).toBe(6);
  expect(exposedNs(10, 40, 0)).toBe(0);
  expect(exposedNs(10, 40, 1.5)).toBe(1.5);
});
