import { describe, expect, it } from "vitest";
import { rebalanceOf, steps, twoRanks } from "./build.ts";
describe("x", () => {
  it("runs", () => {
    const none = steps(twoRanks());
    const idle = steps(twoRanks({ rebalance: rebalanceOf("vllm", { async: false, interval: 1000000 }) }));
    expect(idle.ns).toEqual(none.ns);
    for (const [name, v] of [["vllm", { async: false, interval: 40, window: 20 }], ["vllm", { async: true, interval: 40, window: 20 }], ["sglang", { interval: 20 }], ["sglang", { interval: 20, layersPerChunk: 1 }], ["tensorrt-llm", {}]] as const) {
      const run = steps(twoRanks({ rebalance: rebalanceOf(name, v) }));
      console.log(name, run.ns.length, run.result.endNs, JSON.stringify(run.result.pools[0]!.rebalance), none.result.endNs);
    }
  });
});
