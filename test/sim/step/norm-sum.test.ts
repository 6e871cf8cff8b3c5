import { expect, test } from "vitest";
import { simulate } from "../../../src/sim/simulate.ts";
import { singleDevice, testConfig, testRequests, tinyModel } from "../build.ts";

/** Time of all-reduces of one prompt of 10 tokens on `tp` ranks, ns, under a norm of queries and keys. */
function allReduceNs(queryKeyNorm: "head" | "whole", tp: number): number {
  const model = tinyModel();
  const layers = model.layers.map((layer) => ({
    ...layer,
    attention: layer.attention.kind === "gqa" ? { ...layer.attention, queryKeyNorm } : layer.attention,
  }));
  const workload = { kind: "open", requests: testRequests([{ prompt: 10, output: 1 }]) } as const;
  const mapping = { ...singleDevice, tp, etp: tp };
  const routing = { kind: "uniform" } as const;
  return simulate(testConfig({ model: { ...model, layers }, mapping, routing, workload })).time.allReduce;
}

test("a norm over all heads sums over the ranks that hold them, one over each head does not", () => {
  expect(allReduceNs("whole", 1)).toBe(0);
  // Four layers, each with a sum of two fp32 values a token, at 2 us and a few bytes.
  const added = allReduceNs("whole", 2) - allReduceNs("head", 2);
  expect(added).toBeGreaterThan(4 * 2000);
  expect(added).toBeLessThan(4 * 2000 * 3);
});
