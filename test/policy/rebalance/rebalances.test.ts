import { describe, expect, it } from "vitest";
import { z } from "zod";
import type { RebalanceOrder, RebalancePolicy } from "../../../src/policy/rebalance/rebalance.ts";
import { type RebalanceName, rebalances } from "../../../src/policy/rebalance/rebalances.ts";

/** What a replica of `layers` layers is told to do after each of `passes` forward passes. */
function orders(
  name: RebalanceName,
  given: Record<string, unknown>,
  passes: number,
  layers = 4,
  view: (pass: number) => { moving?: boolean; utilisation?: number } = () => ({}),
): RebalanceOrder[] {
  const policy: RebalancePolicy = rebalances[name];
  const rebalancer = policy.plan(z.strictObject(policy.parameters).parse(given)).create(layers);
  return Array.from({ length: passes }, (_, i) =>
    rebalancer.passed({ moving: false, utilisation: 0.5, ...view(i + 1) }),
  );
}

/** Passes, from 1 on, after which there was an order. */
const passesOf = (all: readonly RebalanceOrder[]): number[] =>
  all.flatMap((order, i) => (order === null ? [] : [i + 1]));

describe("vLLM", () => {
  it("makes the first map after a quarter of the interval, and one every interval from then on", () => {
    expect(passesOf(orders("vllm", {}, 7000))).toEqual([750, 3750, 6750]);
    expect(passesOf(orders("vllm", { interval: 10 }, 30))).toEqual([2, 12, 22]);
    expect(passesOf(orders("vllm", { interval: 1 }, 3))).toEqual([1, 2, 3]);
    expect(orders("vllm", { interval: 4 }, 1)).toEqual([[0, 1, 2, 3]]);
  });

  it("waits for experts on their way, and then asks at once", () => {
    const moving = (pass: number) => ({ moving: pass >= 11 && pass < 20 });
    expect(passesOf(orders("vllm", { interval: 10 }, 32, 4, moving))).toEqual([2, 20, 30]);
  });
});

describe("SGLang", () => {
  it("makes the first map one pass after the interval, and one every interval from then on", () => {
    expect(passesOf(orders("sglang", {}, 3002))).toEqual([1001, 2001, 3001]);
  });

  it("counts again from the pass in which the last chunk moved", () => {
    const moving = (pass: number) => ({ moving: pass === 12 || pass === 13 });
    expect(passesOf(orders("sglang", { interval: 10 }, 30, 4, moving))).toEqual([11, 23]);
  });

  it("skips where ranks were better used than the threshold, never at 1", () => {
    const used = (utilisation: number) => () => ({ utilisation });
    expect(orders("sglang", { interval: 1, minUtilisation: 0.8 }, 3, 4, used(0.81))).toEqual([null, "skip", "skip"]);
    expect(orders("sglang", { interval: 1, minUtilisation: 0.8 }, 2, 2, used(0.8))).toEqual([null, [0, 1]]);
    expect(orders("sglang", { interval: 1 }, 2, 2, used(1))).toEqual([null, [0, 1]]);
  });
});

describe("TensorRT-LLM", () => {
  it("gives every layer its turn once in a round, as evenly as layers divide", () => {
    expect(orders("tensorrt-llm", { layerUpdatesPerIter: 2 }, 5, 4)).toEqual([[0, 2], [1, 3], null, [0, 2], [1, 3]]);
    expect(orders("tensorrt-llm", { layerUpdatesPerIter: 2 }, 4, 5)).toEqual([[0, 3], [1, 4], [2], [0, 3]]);
    for (const layers of [1, 3, 7, 58]) {
      const round = orders("tensorrt-llm", { layerUpdatesPerIter: 3 }, Math.ceil(layers / 3), layers);
      expect(round.flat().toSorted((a, b) => Number(a) - Number(b))).toEqual([...Array(layers).keys()]);
    }
  });
});
