import { describe, expect, test } from "vitest";
import { InfeasibleError } from "../../../src/core/errors.ts";
import { CostModel } from "../../../src/hardware/cost.ts";
import { kvBytesPerToken, weightBytes } from "../../../src/models/bytes.ts";
import { catalogue, modelNamed } from "../../../src/models/catalogue.ts";
import type { ModelSpec } from "../../../src/models/spec.ts";
import type { OffloadConfig, SimConfig } from "../../../src/sim/config.ts";
import { planMemory } from "../../../src/sim/memory/memory-plan.ts";
import { layerPrograms } from "../../../src/sim/step/layer-programs.ts";
import { StepCost } from "../../../src/sim/step/step-cost.ts";
import { singleDevice, testConfig, testEngine, testNode, testOffload, tinyModel } from "../build.ts";

const notWeights = /^(KV|activations|communication|window|expert transfer)/;

function plan(model: ModelSpec, overrides: Partial<SimConfig> = {}) {
  const node = overrides.node ?? testNode({ memoryBytes: 1e14 });
  const config = testConfig({ model, node, routing: { kind: "uniform" }, ...overrides });
  const cost = new StepCost(config, new CostModel(node.device, node));
  return planMemory(config, cost.attention);
}

const weightsOn = (model: ModelSpec, overrides: Partial<SimConfig> = {}) =>
  plan(model, overrides)
    .map.tiers[0]!.items.filter((item) => !notWeights.test(item.name))
    .reduce((sum, item) => sum + item.bytes, 0);

describe("one device holds exactly the weights of the model", () => {
  for (const id of Object.keys(catalogue)) {
    test(id, () => {
      const model = modelNamed(id);
      const stored = Object.values(weightBytes(model)).reduce((sum, bytes) => sum + bytes, 0);
      // Each class is rounded up to whole bytes once in either sum.
      expect(Math.abs(weightsOn(model) - stored)).toBeLessThanOrEqual(8 + model.layers.length);
    });

    test(`${id}: KV bytes per token of the layers without a window`, () => {
      const model = modelNamed(id);
      let growing = 0;
      for (const { attention } of model.layers)
        if (!("windowTokens" in attention && attention.windowTokens !== null))
          growing += kvBytesPerToken(attention, model.kvFormat);
      expect(plan(model).map.kvBytesPerToken).toBeCloseTo(growing, 6);
    });
  }
});

describe("an engine that keeps the input embedding in host memory", () => {
  const engine = testEngine({ embedsOnHost: true });
  const plain = tinyModel();
  const tied = tinyModel({ tiedEmbeddings: true });
  const table = 1024 * 256 * 2;
  const embeddings = (model: ModelSpec, overrides: Partial<SimConfig>) =>
    plan(model, overrides).map.tiers.map(({ items }) => items.find(({ name }) => name === "embedding")?.bytes ?? 0);

  test("has it there alone, and a head that shares its weights on the device once more", () => {
    const offload = lru();
    expect(weightsOn(plain, { engine })).toBe(weightsOn(plain) - table);
    expect(weightsOn(tied, { engine })).toBe(weightsOn(tied));
    expect(embeddings(plain, { engine, offload })).toEqual([0, table]);
    expect(embeddings(plain, { offload })).toEqual([table, 0]);
  });

  test("has it on the device where the host's memory is the device's", () => {
    const node = { ...testNode({ memoryBytes: 1e14 }), tiers: [] };
    expect(weightsOn(plain, { engine, node })).toBe(weightsOn(plain));
  });
});

test("logits of all tokens of a step are set aside by an engine that says so, as a log of llama.cpp has them", () => {
  const vocabulary = 151_936;
  const model = tinyModel({ vocabSize: vocabulary });
  const activations = (reservesLogits: boolean) =>
    plan(model, { engine: testEngine({ reservesLogits }) }).map.tiers[0]!.items.find(
      ({ name }) => name === "activations",
    )!.bytes;
  const { maxBatchTokens, maxSequences } = testEngine().defaults;
  expect(activations(true) - activations(false)).toBe((maxBatchTokens - maxSequences) * vocabulary * 4);
  // Of 300.75 MiB the log has in all.
  expect((maxBatchTokens * vocabulary * 4) / 2 ** 20).toBe(296.75);
});

describe("weights whose layout is not the usual one of their format", () => {
  const formats = { ...tinyModel().formats, attention: "int8", experts: "int4" } as const;
  const weightBits = { attention: 9, experts: 4.5 };

  test("take their own bits on the device, in an expert cache and on its links", () => {
    const own = plan(tinyModel(), { formats, weightBits });
    expect(own.expertBytes).toBe((3 * 256 * 128 * 4.5) / 8);
    const usual = plan(tinyModel(), { formats });
    const bytes = (of: typeof own, name: RegExp) => of.map.tiers[0]!.items.find((item) => name.test(item.name))!.bytes;
    expect(bytes(own, /attention weights/)).toBe((bytes(usual, /attention weights/) * 9) / 8);
    expect(bytes(own, /routed experts/)).toBe((bytes(usual, /routed experts/) * 4.5) / 4.125);
    const cached = plan(tinyModel(), { formats, weightBits, offload: lru() });
    expect(bytes(cached, /expert cache/) / bytes(cached, /expert transfer/)).toBe(
      bytes(plan(tinyModel(), { formats, offload: lru() }), /expert cache/) /
        bytes(plan(tinyModel(), { formats, offload: lru() }), /expert transfer/),
    );
    expect(bytes(cached, /expert transfer/)).toBe(2 * own.expertBytes);
  });

  test("take the time of their own bytes in every product", () => {
    const timeOf = (bits: number | undefined): number => {
      const node = testNode({ memoryBytes: 1e14 });
      const overrides = bits === undefined ? {} : { weightBits: { attention: bits, experts: bits, head: bits } };
      const config = testConfig({ model: tinyModel(), node, routing: { kind: "uniform" }, ...overrides });
      const cost = new CostModel(node.device, node);
      const programs = layerPrograms(config);
      const network = programs.feedForward[0];
      if (network?.kind !== "moe") throw new Error("not an MoE");
      const experts = cost.opNs({ ...network.experts, pairs: 2, distinctExperts: 2, presentedPairs: 2 });
      return experts + cost.opNs({ ...programs.head, tokens: 1 });
    };
    expect(timeOf(16)).toBe(timeOf(undefined));
    expect(timeOf(8)).toBeLessThan(timeOf(undefined));
    expect(timeOf(24)).toBeGreaterThan(timeOf(undefined));
  });
});

/** An expert of the tiny model: three matrices of 256 x 128 in 16 bits. */
const tinyExpert = 3 * 256 * 128 * 2;
const lru = (overrides: Partial<OffloadConfig> = {}): OffloadConfig => testOffload({ slots: 3, ...overrides });

describe("what a step needs besides weights and caches, from the shapes of the tiny model", () => {
  const bytesOf = (name: string, overrides: Partial<SimConfig> = {}) =>
    plan(tinyModel(), overrides).map.tiers[0]!.items.find((item) => item.name === name)?.bytes ?? 0;

  test("activations: residual stream and projections, the widest feed-forward, logits in float32", () => {
    // 512 tokens; two experts of 128 twice, each with its input; 32 sequences over a vocabulary of 1,024.
    expect(bytesOf("activations")).toBe(512 * (4 * 256 + 2 * (256 + 2 * 128)) * 2 + 32 * 1024 * 4);
    const split = { ...singleDevice, tp: 2, etp: 2 };
    expect(bytesOf("activations", { mapping: split })).toBe(512 * (4 * 256 + 2 * (256 + 128)) * 2 + 32 * 512 * 4);
    const spread = { ...singleDevice, dp: 2, ep: 2 };
    expect(bytesOf("activations", { mapping: spread })).toBe(512 * (4 * 256 + 256 + 2 * 128) * 2 + 32 * 1024 * 4);
  });

  test("communication buffers: what the largest step sends and what it receives, where there is another rank", () => {
    expect(bytesOf("communication buffers")).toBe(0);
    for (const mapping of [
      { ...singleDevice, tp: 2, etp: 2 },
      { ...singleDevice, dp: 2, ep: 2 },
    ])
      expect(bytesOf("communication buffers", { mapping })).toBe(2 * 512 * 256 * 2);
    expect(bytesOf("communication buffers", { mapping: { ...singleDevice, pp: 2 } })).toBe(0);
  });

  test("expert transfer buffer: one expert arrives while another is computed, in slices of expert tensor parallelism", () => {
    expect(bytesOf("expert transfer buffer")).toBe(0);
    expect(bytesOf("expert transfer buffer", { offload: lru() })).toBe(2 * tinyExpert);
    const mapping = { ...singleDevice, tp: 2, etp: 2 };
    expect(bytesOf("expert transfer buffer", { offload: lru(), mapping })).toBe(tinyExpert);
  });
});

test("host memory in front of a disk holds the whole experts that fit, and none of which a part does not", () => {
  const held = (experts: number, replicas = 1) => {
    const { hostExperts, map } = plan(tinyModel(), { offload: lru({ hostBytes: experts * tinyExpert }), replicas });
    return [hostExperts, map.tiers[1]!.usedBytes / tinyExpert];
  };
  expect(held(5)).toEqual([5, 5]);
  expect(held(5.99)).toEqual([5, 5]);
  expect(held(31.99)).toEqual([31, 31]);
  expect(held(32)).toEqual([32, 32]);
  expect(held(11.99, 2)).toEqual([5, 10]);
});

test("expert parallelism divides routed experts and nothing else", () => {
  const model = tinyModel();
  const experts = (mapping: SimConfig["mapping"]) =>
    plan(model, { mapping }).map.tiers[0]!.items.find((item) => item.name.startsWith("routed"))!.bytes;
  const whole = experts(singleDevice);
  expect(experts({ ...singleDevice, dp: 4, ep: 4 })).toBe(whole / 4);
  expect(experts({ ...singleDevice, tp: 4, etp: 4 })).toBe(whole / 4);
  expect(whole).toBe(4 * 8 * 3 * 256 * 128 * 2);
});

test("the items of every tier sum to its use, and use never exceeds capacity", () => {
  for (const overrides of [{}, { offload: lru({ hostBytes: 1e6 }) }]) {
    for (const tier of plan(tinyModel(), overrides).map.tiers) {
      expect(tier.items.reduce((sum, item) => sum + item.bytes, 0)).toBe(tier.usedBytes);
      expect(tier.usedBytes).toBeLessThanOrEqual(tier.capacityBytes);
    }
  }
});

test("a model that does not fit is refused with the whole sum", () => {
  const refused = () => plan(modelNamed("mixtral-8x7b"), { node: testNode({ memoryBytes: 24e9 }) });
  expect(refused).toThrow(InfeasibleError);
  expect(refused).toThrow(/routed experts, 256 slots +8\d/);
});

test("a larger expert cache leaves fewer KV blocks", () => {
  const blocks = (slots: number) =>
    plan(tinyModel(), {
      node: testNode({ memoryBytes: 40e6 }),
      offload: lru({ slots, hostBytes: 1e9 }),
    }).map.kvBlocks;
  expect(blocks(6)).toBeLessThan(blocks(2));
});
