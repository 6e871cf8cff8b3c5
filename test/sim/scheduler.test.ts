import fc from "fast-check";
import { expect, test } from "vitest";
import type { SimConfig } from "../../src/sim/config.ts";
import { Simulation } from "../../src/sim/simulation.ts";
import { drawn } from "../drawn.ts";
import { testConfig, testEngine, testNode, testRequests, testRouting, tinyModel, tinyScan } from "./build.ts";
import { referenceSchedule } from "./reference-scheduler.ts";

const stepNs = 1_000_000;
const instant = { peak: { bf16: 1e30 }, memoryBytesPerSecond: 1e30 };

type Layers = NonNullable<Parameters<typeof referenceSchedule>[1]["layers"]>;

/** Layers of the tiny model that keep what is asked for, in pages of one size. */
function layersOf(kinds: Layers) {
  const { attention, feedForward } = tinyModel().layers[0]!;
  if (attention.kind !== "gqa") throw new Error("unexpected tiny model");
  const state = {
    kind: "linear" as const,
    projectionParameters: 1,
    stateValues: 1,
    smallParameters: 0,
    scan: tinyScan,
  };
  return kinds.map((kind) => ({
    attention: kind === "state" ? state : { ...attention, windowTokens: kind === "full" ? null : kind.window },
    feedForward,
  }));
}

/** Steps of constant length, and exactly `blocks` KV blocks. */
function constantStep(scheduler: SimConfig["scheduler"], mixes: boolean, blocks: number, layers: Layers): SimConfig {
  const config = testConfig({
    model: tinyModel({ layers: layersOf(layers) }),
    routing: { kind: "replay", table: testRouting(1), layerMap: layers.map(() => 0), start: "zero" },
    engine: testEngine({
      stepOverheadNs: stepNs,
      sequenceOverheadNs: 0,
      kernelOverheadNs: 0,
      mixesPrefillWithDecode: mixes,
    }),
    scheduler: { ...scheduler, memoryUtilisation: 1 },
    node: testNode({ ...instant, memoryBytes: 1e12 }),
  });
  const { map } = new Simulation(config).pools[0]!.memory;
  const kv = map.tiers[0]!.items.find((item) => item.name.startsWith("KV"))!.bytes;
  const memoryBytes = map.tiers[0]!.usedBytes - kv + (kv / map.kvBlocks) * blocks;
  return { ...config, node: testNode({ ...instant, memoryBytes }) };
}

function finish(config: SimConfig) {
  const simulation = new Simulation(config);
  while (!simulation.advance(1000));
  return simulation.result();
}

const limits = fc.record({
  requests: fc.array(
    fc.record({
      gap: fc.oneof(fc.constant(0), fc.nat(3 * stepNs)),
      prompt: fc.integer({ min: 1, max: 120 }),
      output: fc.integer({ min: 1, max: 40 }),
    }),
    { minLength: 1, maxLength: 25 },
  ),
  blocks: fc.integer({ min: 11, max: 60 }),
  blockTokens: fc.constantFrom(1, 7, 16),
  maxBatchTokens: fc.integer({ min: 1, max: 150 }),
  maxSequences: fc.integer({ min: 1, max: 12 }),
  chunked: fc.boolean(),
  mixes: fc.boolean(),
});
type Limits = typeof limits extends fc.Arbitrary<infer T> ? T : never;

/** Runs the simulator and the naive scheduler; returns the preemptions they agree on. */
function compare(drawn: Limits, layers: Layers): number {
  const { requests, blockTokens, maxBatchTokens, maxSequences, chunked, mixes } = drawn;
  const scheduler = {
    maxBatchTokens,
    maxSequences,
    recvInterval: 1,
    chunkedPrefill: chunked,
    prefixCaching: false,
    blockTokens,
    memoryUtilisation: 1,
    contextTokensMax: 4096,
  };
  const config = constantStep(scheduler, mixes, drawn.blocks, layers);
  const { kv, map } = new Simulation(config).pools[0]!.memory;
  const blocks = map.kvBlocks;
  // What all sequences could use at most is less than 4,096 tokens only where nothing keeps all of them.
  if (layers.includes("full")) expect(blocks).toBe(drawn.blocks);
  // No request may need more than all blocks.
  const room = kv.sequenceTokensMax;
  fc.pre(room > 0);
  let at = 0;
  const rows = requests.map(({ gap, prompt, output }, i) => {
    // The first arrival is time 0.
    if (i > 0) at += gap;
    const length = Math.min(prompt, room);
    return { at, prompt: length, output: Math.min(output, room - length + 1) };
  });
  const result = finish({ ...config, workload: { kind: "open", requests: testRequests(rows) } });
  const expected = referenceSchedule(rows, {
    stepNs,
    blocks,
    blockTokens,
    layers,
    maxBatchTokens,
    maxSequences,
    chunked,
    mixes,
  });
  expect([...result.requests.firstTokenNs]).toEqual(expected.first);
  expect([...result.requests.lastTokenNs]).toEqual(expected.last);
  expect([...result.requests.preemptions]).toEqual(expected.preempted);
  expect(result.steps).toBe(expected.steps);
  expect(result.kv.peakBlocks).toBeLessThanOrEqual(blocks);
  return result.kv.preemptions;
}

test("tokens appear when a naive scheduler written from the definition says, whatever the limits", () => {
  let preemptions = 0;
  fc.assert(
    fc.property(limits, (drawn) => {
      preemptions += compare(drawn, ["full"]);
    }),
    { numRuns: drawn(400), seed: 11 },
  );
  expect(preemptions).toBeGreaterThan(drawn(100));
});

test("and so they do where some layers keep a window, or a state", () => {
  let preemptions = 0;
  const layers = fc.constantFrom<Layers>(
    ["full", { window: 20 }],
    ["full", { window: 5 }, { window: 5 }, { window: 5 }],
    ["full", "state", "state", "state"],
    [{ window: 33 }],
    ["full", { window: 40 }, "state"],
  );
  fc.assert(
    fc.property(limits, layers, (drawn, kept) => {
      preemptions += compare(drawn, kept);
    }),
    { numRuns: drawn(200), seed: 12 },
  );
  expect(preemptions).toBeGreaterThan(drawn(50));
});
