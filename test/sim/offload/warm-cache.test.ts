import fc from "fast-check";
import { expect, test } from "vitest";
import { cachePolicies } from "../../../src/policy/cache/caches.ts";
import type { CachePolicy } from "../../../src/policy/cache/expert-cache.ts";
import { ranksOf } from "../../../src/policy/placement/placement-measures.ts";
import type { OffloadConfig, SimConfig } from "../../../src/sim/config.ts";
import { mappingProblems } from "../../../src/sim/mapping.ts";
import { simulate } from "../../../src/sim/simulate.ts";
import { stagePlans } from "../../../src/sim/step/stage-plan.ts";
import { drawn } from "../../drawn.ts";
import { configOf, type Scenario, scenario } from "../random-config.ts";

/** LRU that counts what it misses. */
function countingLru(): { policy: CachePolicy; misses: () => number } {
  let missed = 0;
  const create: CachePolicy["create"] = (context) => {
    const cache = cachePolicies.lru.create(context);
    return {
      capacity: cache.capacity,
      get resident() {
        return cache.resident;
      },
      contains: (key) => cache.contains(key),
      call: (keys, from, to, hit) => {
        const hits = cache.call(keys, from, to, hit);
        missed += to - from - hits;
        return hits;
      },
      insert: (key, spared) => cache.insert(key, spared),
      drop: (key) => cache.drop(key),
    };
  };
  return { policy: { ...cachePolicies.lru, create }, misses: () => missed };
}

/**
 * The scenario with memory for everything, and the same steps whatever they take: one replica, whose requests are all there
 * from the start, or one at a time where steps overlap in a pipeline.
 */
function paceless(c: Scenario): SimConfig {
  const pipelined = c.mapping.pp > 1;
  const config = configOf({
    ...c,
    replicas: 1,
    gap: 0,
    tokeniseNs: 0,
    slots: null,
    rebalance: null,
    closed: pipelined ? 1 : c.closed,
  });
  const { requests } = config.workload;
  return {
    ...config,
    node: { ...config.node, device: { ...config.node.device, memoryBytes: 1e12 } },
    workload: { ...config.workload, requests: { ...requests, arrivalNs: new Float64Array(requests.count) } },
  };
}

/** A slot for every expert that a device computes. */
function slotPerExpert(config: SimConfig, scope: OffloadConfig["scope"], policy: CachePolicy): OffloadConfig {
  const perLayer = config.placement?.physicalExpertsPerRank ?? Math.ceil(8 / config.mapping.ep);
  const layers = Math.max(...stagePlans(config.model, config.mapping.pp).map((plan) => plan.layers));
  const slots = scope === "layer" ? perLayer : perLayer * layers;
  return {
    policy,
    admission: null,
    scope,
    slots,
    hostBytes: 64e9,
    pinned: true,
    popularity: null,
    overlap: true,
    logAccessesMax: 0,
  };
}

/** Whether a rank holds two copies of an expert: a cache keeps one of them. */
function holdsTwice({ placement }: SimConfig): boolean {
  if (placement === null) return false;
  const { starts, ranks } = ranksOf(placement);
  for (let i = 0; i + 1 < starts.length; i++) {
    const held = ranks.subarray(starts[i], starts[i + 1]);
    if (new Set(held).size < held.length) return true;
  }
  return false;
}

test("a step that misses nothing takes what it takes with all experts on the devices, to the nanosecond", () => {
  let compared = 0;
  let missing = 0;
  fc.assert(
    fc.property(scenario, (c) => {
      fc.pre(c.routing !== "uniform" && c.mapping.edp === 1 && c.dispatch !== "fake");
      const config = paceless(c);
      fc.pre(mappingProblems(config.mapping, config.model).length === 0 && !holdsTwice(config));
      const plain: number[] = [];
      simulate(config, { onStep: (ns) => plain.push(ns) });
      const { policy, misses } = countingLru();
      let before = 0;
      let step = 0;
      simulate(
        { ...config, offload: slotPerExpert(config, c.scope, policy) },
        {
          onStep: (ns) => {
            if (misses() === before) {
              expect(ns).toBe(plain[step]);
              compared++;
            } else missing++;
            before = misses();
            step++;
          },
        },
      );
      expect(step).toBe(plain.length);
    }),
    { numRuns: drawn(50), seed: 11 },
  );
  expect(compared).toBeGreaterThan(10 * missing);
  expect(missing).toBeGreaterThan(drawn(50));
});
