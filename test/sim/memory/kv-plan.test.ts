import { describe, expect, test } from "vitest";
import { engineNamed } from "../../../src/engine/catalogue.ts";
import type { CachePools } from "../../../src/engine/engine-profile.ts";
import { CostModel } from "../../../src/hardware/cost.ts";
import { nodeNamed } from "../../../src/hardware/named-profiles.ts";
import { modelKvBytesPerSequence } from "../../../src/models/bytes.ts";
import { catalogue, modelNamed } from "../../../src/models/catalogue.ts";
import type { ModelSpec } from "../../../src/models/spec.ts";
import type { SimConfig } from "../../../src/sim/config.ts";
import { planMemory } from "../../../src/sim/memory/memory-plan.ts";
import { requestStatus } from "../../../src/sim/result.ts";
import { simulate } from "../../../src/sim/simulate.ts";
import { StepCost } from "../../../src/sim/step/step-cost.ts";
import { singleDevice, testConfig, testEngine, testNode, testRequests, tinyModel, tinyScan } from "../build.ts";

const shared: CachePools = { windows: "shared", chunks: "shared", states: "shared", statesPerSequence: 1 };

function plan(overrides: Partial<SimConfig>, caches: CachePools = shared) {
  const config = testConfig({ engine: testEngine({ caches }), routing: { kind: "uniform" }, ...overrides });
  const cost = new StepCost(config, new CostModel(config.node.device, config.node, config.engine.id));
  const memory = planMemory(config, cost.attention);
  const items = memory.map.tiers[0]!.items;
  const bytes = (start: string) => items.find(({ name }) => name.startsWith(start))?.bytes ?? 0;
  return { ...memory, bytes, free: config.node.device.memoryBytes * config.scheduler.memoryUtilisation };
}

/** Blocks that a sequence of `tokens` tokens holds while it decodes, per pool. */
function held({ kv }: ReturnType<typeof plan>, tokens: number): number[] {
  return [kv.main, ...kv.apart].map(
    ({ holding }) => holding.fullBlocks(tokens) + holding.passingBlocks(tokens - 1, tokens),
  );
}

const { attention, feedForward } = tinyModel().layers[0]!;
if (attention.kind !== "gqa") throw new Error("unexpected tiny model");
const window = { ...attention, windowTokens: 64 };
const state = {
  kind: "linear" as const,
  projectionParameters: 1,
  stateValues: 1500,
  smallParameters: 0,
  scan: tinyScan,
};
/** Two layers that keep all tokens, four a window, two a state of 3,000 bytes; 512 bytes a token and layer. */
const hybrid = tinyModel({
  layers: [attention, window, window, state, attention, window, window, state].map((mixer) => ({
    attention: mixer,
    feedForward,
  })),
});
const roomy = { ...testConfig().scheduler, maxSequences: 1_000_000, contextTokensMax: 4096 };

describe("an engine that sets the cache of its context aside at start", () => {
  /** Device memory for just `tokens` tokens of the tiny model's cache, 512 bytes a token and layer. */
  const withRoomFor = (tokens: number, scheduler: Partial<SimConfig["scheduler"]>) => {
    const base = {
      ...testConfig().scheduler,
      blockTokens: 1,
      memoryUtilisation: 1,
      contextTokensMax: 1000,
      ...scheduler,
    };
    const fixed = plan({ scheduler: { ...base, reserved: { contexts: 1, tokensMin: 1 } } });
    const other = fixed.map.tiers[0]!.usedBytes - fixed.bytes("KV cache");
    return plan({ scheduler: base, node: testNode({ memoryBytes: other + tokens * 4 * 512 }) });
  };
  const slots = (contexts: number, tokensMin = 1000) => ({ reserved: { contexts, tokensMin }, maxSequences: 4 });

  test("has as many tokens as its slots, and does not start with one less", () => {
    expect(withRoomFor(4000, slots(4)).map.kvBlocks).toBe(4000);
    expect(() => withRoomFor(3999, slots(4))).toThrow(/KV cache of 4 x 1000 tokens, set aside at start/);
    // One that pages starts with any.
    expect(withRoomFor(3999, { maxSequences: 4 }).map.kvBlocks).toBe(3999);
  });

  test("takes no more, whatever there is", () => {
    expect(withRoomFor(9000, slots(4)).map.kvBlocks).toBe(4000);
    expect(withRoomFor(9000, slots(1)).map.kvBlocks).toBe(1000);
    expect(withRoomFor(9000, { maxSequences: 9 }).map.kvBlocks).toBe(9000);
  });

  test("lowers a context that nobody gave to what fits, down to its least", () => {
    expect(withRoomFor(700, slots(1, 400)).map.kvBlocks).toBe(700);
    expect(withRoomFor(400, slots(1, 400)).map.kvBlocks).toBe(400);
    expect(() => withRoomFor(399, slots(1, 400))).toThrow(/KV cache of 400 tokens, set aside at start/);
  });
});

describe("where an engine keeps windows and states", () => {
  test("in one pool: blocks of every kind, out of the same memory", () => {
    const memory = plan({ model: hybrid, scheduler: roomy, node: testNode({ memoryBytes: 20e9 }) });
    const fixed = memory.map.tiers[0]!.usedBytes - memory.bytes("KV cache");
    const blockBytes = 2 * 16 * 512;
    expect(memory.map.kvBlocks).toBe(Math.floor((memory.free - fixed) / blockBytes));
    // 1,000 tokens of the full layers, the window twice, one state.
    expect(held(memory, 1000)).toEqual([63 + 2 * 5 + 1]);
    expect(memory.kv.apart).toEqual([]);
  });

  test("in pools of their own: states take their share of the bytes, windows of the tokens", () => {
    const split: CachePools = { windows: 0.8, chunks: 0.8, states: 0.9, statesPerSequence: 3 };
    const scheduler = { ...roomy, prefixCaching: true, blockTokens: 1 };
    const memory = plan({ model: hybrid, scheduler, node: testNode({ memoryBytes: 20e9 }) }, split);
    const pools = ["KV cache", "window cache", "state cache"].map(memory.bytes);
    const fixed = memory.map.tiers[0]!.usedBytes - pools.reduce((sum, bytes) => sum + bytes, 0);
    const free = memory.free - fixed;
    const states = Math.floor((free * 0.9) / 1.9 / 6000);
    const tokens = Math.floor((free - states * 6000) / (2 * 512 + 0.8 * 4 * 512));
    expect(memory.map.kvBlocks).toBe(tokens);
    expect(memory.kv.apart.map(({ capacity }) => capacity)).toEqual([Math.floor(0.8 * tokens), states]);
    expect(held(memory, 1000)).toEqual([1000, 64, 3]);
    // Without a prefix cache a sequence has one state, and no more are set aside than there are sequences.
    const plain = plan({ model: hybrid, scheduler: { ...scheduler, prefixCaching: false, maxSequences: 10 } }, split);
    expect(held(plain, 1000)).toEqual([1000, 64, 1]);
    expect(plain.kv.apart[1]?.capacity).toBe(10);
  });

  test("set aside for the most sequences: windows and a step, no more than their contexts", () => {
    const reserved: CachePools = { windows: "reserved", chunks: "reserved", states: "reserved", statesPerSequence: 1 };
    const of = (contextTokensMax: number) =>
      plan({ model: hybrid, scheduler: { ...roomy, maxSequences: 100, contextTokensMax } }, reserved);
    expect(of(4096).bytes("window and state")).toBe(4 * 512 * (100 * 64 + 512) + 100 * 6000);
    expect(of(40).bytes("window and state")).toBe(4 * 512 * 100 * 40 + 100 * 6000);
    expect(held(of(4096), 1000)).toEqual([63]);
  });

  test("as if a window were the whole context", () => {
    const scheduler = { ...roomy, maxSequences: 100 };
    const memory = plan({ model: hybrid, scheduler }, { ...shared, windows: "full", states: "reserved" });
    expect(memory.map.kvBytesPerToken).toBe(6 * 512);
    expect(held(memory, 1000)).toEqual([63]);
  });

  test("a window that a context never leaves costs what a full cache costs", () => {
    const layers = [attention, { ...attention, windowTokens: 512 }].map((mixer) => ({ attention: mixer, feedForward }));
    const scheduler = { ...roomy, maxSequences: 7, contextTokensMax: 500 };
    const memory = plan({ model: tinyModel({ layers }), scheduler });
    expect(memory.map.kvBlocks).toBe(7 * 2 * Math.ceil(500 / 16));
    expect(memory.bytes("KV cache")).toBe(plan({ model: tinyModel({}, 2), scheduler }).bytes("KV cache"));
  });

  test("the ledger says where, of models that have any", () => {
    const words = (model: ModelSpec, caches: CachePools) =>
      simulate(testConfig({ model, engine: testEngine({ caches }), routing: { kind: "uniform" } })).ledger.find(
        ({ topic }) => topic === "windows and states",
      )?.detail;
    expect(words(tinyModel(), shared)).toBeUndefined();
    expect(words(hybrid, { ...shared, states: 0.9 })).toBe(
      "windows in blocks of the KV cache, states in a pool of their own (test)",
    );
  });

  test("a state per draft token until it is verified", () => {
    const speculation = { draftTokens: 3, acceptance: Float64Array.of(1, 1, 1), draft: { kind: "free" as const } };
    const memory = plan({ model: hybrid, scheduler: { ...roomy, maxSequences: 100 }, speculation });
    expect(held(memory, 1000)).toEqual([63 + 2 * 5 + 4]);
    const apart = plan(
      { model: hybrid, scheduler: { ...roomy, maxSequences: 10 }, speculation },
      { ...shared, states: 0.9 },
    );
    expect(apart.kv.apart.map(({ capacity }) => capacity)).toEqual([4 * 10]);
  });

  test("the share in use is that of the fullest pool", () => {
    const engine = testEngine({ caches: { ...shared, states: 0.9 } });
    const requests = testRequests([{ prompt: 160, output: 1 }]);
    const config = {
      model: hybrid,
      engine,
      scheduler: { ...roomy, maxSequences: 10 },
      routing: { kind: "uniform" },
    } as const;
    const { series, endNs, kv } = simulate(testConfig({ ...config, workload: { kind: "open", requests } }));
    const used = series.kvUse.reduce((sum, share) => sum + share * series.intervalNs, 0);
    // One state of ten; of the blocks for ten contexts of 4,096 tokens far less.
    expect(used / endNs).toBeCloseTo(1 / 10, 9);
    expect(kv).toMatchObject({ blocks: 10, peakBlocks: 1 });
  });
});

describe("a request is rejected by what it would hold", () => {
  const scheduler = { ...testConfig().scheduler, maxBatchTokens: 64, memoryUtilisation: 1, contextTokensMax: 4096 };
  const roomFor = (memoryBytes: number) => ({ model: hybrid, scheduler, node: testNode({ memoryBytes }) });
  const { map, bytes } = plan(roomFor(1e9));
  const tight = roomFor(map.tiers[0]!.usedBytes - bytes("KV cache") + 40 * 2 * 16 * 512);

  test("the longest that fits completes alone, one token more is rejected", () => {
    const { sequenceTokensMax } = plan(tight).kv;
    // A state and twice the blocks of 63 + 64 tokens leave 40 - 1 - 2 x 9 blocks of 16 tokens.
    expect(sequenceTokensMax).toBe(21 * 16);
    const requests = testRequests([
      { prompt: sequenceTokensMax - 9, output: 10 },
      { prompt: sequenceTokensMax - 9, output: 11 },
    ]);
    const config = testConfig({ ...tight, routing: { kind: "uniform" }, workload: { kind: "open", requests } });
    expect([...simulate(config).requests.status]).toEqual([requestStatus.completed, requestStatus.rejected]);
  });

  test("every pool counts: a pool of five blocks of windows takes a sequence up to the end of the fifth", () => {
    const split: CachePools = { ...shared, windows: 1 / 16 };
    const free = 80 * (2 * 16 * 512) + 5 * (4 * 16 * 512);
    const overrides = { ...roomFor(1e9), scheduler: { ...scheduler, maxSequences: 1 } };
    const unlimited = plan(overrides, split);
    const node = testNode({
      memoryBytes:
        unlimited.map.tiers[0]!.usedBytes - unlimited.bytes("KV cache") - unlimited.bytes("window cache") + free,
    });
    const memory = plan({ ...overrides, node }, split);
    expect(memory.kv.apart[0]?.capacity).toBe(5);
    expect(memory.kv.sequenceTokensMax).toBe(5 * 16);
  });
});

describe("models of the catalogue", () => {
  const deployed = (model: ModelSpec, system: string, engineId: string, tp: number, contextTokensMax: number) => {
    const node = nodeNamed(system);
    const engine = engineNamed(engineId);
    const { defaults } = engine;
    const mapping = { ...singleDevice, tp, etp: tp };
    return plan({ model, node, engine, mapping, formats: model.formats, scheduler: { ...defaults, contextTokensMax } });
  };
  const inFp8 = (id: string) => {
    const model = modelNamed(id);
    const fp8 = { attention: "fp8", dense: "fp8", shared: "fp8", experts: "fp8" } as const;
    return { ...model, formats: { ...model.formats, ...fp8 } };
  };

  for (const id of Object.keys(catalogue)) {
    test(`${id}: the blocks of a long sequence hold the bytes of its layers, counted one by one, and little else`, () => {
      const model = modelNamed(id);
      const tokens = Math.min(65_536, model.contextTokensMax);
      const scheduler = { ...roomy, contextTokensMax: model.contextTokensMax };
      const memory = plan({
        model,
        formats: model.formats,
        kvFormat: model.kvFormat,
        scheduler,
        node: testNode({ memoryBytes: 1e14 }),
      });
      const [blocks] = held(memory, tokens);
      const heldBytes = (blocks! * memory.bytes("KV cache")) / memory.map.kvBlocks;
      const needed = modelKvBytesPerSequence(model, tokens);
      expect(heldBytes).toBeGreaterThanOrEqual(needed);
      expect(heldBytes).toBeLessThan(1.1 * needed);
    });
  }

  for (const engine of ["vllm", "sglang"])
    test(`Llama 4 Scout in FP8 fits on two H100 under ${engine}, with more than one sequence of the longest context`, () => {
      const memory = deployed(inFp8("llama-4-scout"), "h100-sxm-8", engine, 2, 131_072);
      expect(memory.kv.sequenceTokensMax).toBe(131_072);
    });

  test("Qwen3.5-397B in FP8 keeps hundreds of sequences of 16k tokens on eight H200", () => {
    const memory = deployed(inFp8("qwen3.5-397b-a17b"), "h200-sxm-8", "vllm", 8, 262_144);
    // Two heads of 256 values are replicated: 1,024 bytes a token in 15 layers. A state of 64 x 128 x 128 and three times
    // 12,288 convolved values is 542,720 bytes, so that pages take 34 blocks of 16 tokens.
    expect(memory.kv.main.holding.groups).toEqual([
      { kind: "state", copies: 3 },
      { kind: "full", blockTokens: 544, copies: 1 },
    ]);
    expect(memory.bytes("KV cache") / memory.map.kvBlocks).toBe(15 * 544 * 1024);
    expect(held(memory, 16_384)).toEqual([31 + 3]);
    expect(Math.floor(memory.map.kvBlocks / 34)).toBeGreaterThan(200);
  });
});
