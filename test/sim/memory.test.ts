import { describe, expect, test } from "vitest";
import { InfeasibleError } from "../../src/core/errors.ts";
import { CostModel } from "../../src/hardware/cost.ts";
import { kvBytesPerToken, weightBytes } from "../../src/models/bytes.ts";
import { catalogue, modelNamed } from "../../src/models/catalogue.ts";
import type { ModelSpec } from "../../src/models/spec.ts";
import { cachePolicies } from "../../src/policy/offload/caches.ts";
import type { SimConfig } from "../../src/sim/config.ts";
import { planMemory } from "../../src/sim/memory-plan.ts";
import { StepCost } from "../../src/sim/step-cost.ts";
import { singleDevice, testConfig, testNode, tinyModel } from "./build.ts";

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
  const offload = {
    policy: cachePolicies.lru,
    scope: "layer" as const,
    slots: 3,
    hostBytes: 1e6,
    popularity: null,
    overlap: true,
    logAccessesMax: 0,
  };
  for (const overrides of [{}, { offload }]) {
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
      offload: {
        policy: cachePolicies.lru,
        scope: "layer",
        slots,
        hostBytes: 1e9,
        popularity: null,
        overlap: true,
        logAccessesMax: 0,
      },
    }).map.kvBlocks;
  expect(blocks(6)).toBeLessThan(blocks(2));
});
