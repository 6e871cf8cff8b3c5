import { describe, expect, test } from "vitest";
import { CostModel } from "../../src/hardware/cost.ts";
import { nodeNamed } from "../../src/hardware/named-profiles.ts";
import type { GroupedGemmOp } from "../../src/hardware/op.ts";
import { expectedDistinct } from "../../src/models/expected-experts.ts";

/** Experts of DeepSeek-V3 on one of `ranks` ranks, each of which has `tokens` tokens. */
function experts(ranks: number, tokens: number, sent?: GroupedGemmOp["sent"]): GroupedGemmOp {
  const all = tokens * ranks;
  return {
    kind: "groupedGemm",
    pairs: tokens * 8,
    distinctExperts: expectedDistinct(256, 8, all, 0) / ranks,
    presentedPairs: all * 8 * (1 - (1 - 1 / ranks) ** 8),
    parametersPerExpert: 3 * 7168 * 2048,
    shardWidth: 2048,
    valuesPerPair: 2 * 7168 + 3 * 2048,
    weightFormat: "fp8_block",
    math: "fp8",
    sent,
  };
}

/** Differences within the error of the maps. */
const mapError = 1.07;

describe.each(["h100-sxm-8", "h200-sxm-8", "b200-sxm-8", "b300-sxm-8", "gb200-nvl72"])("%s", (system) => {
  const node = nodeNamed(system);
  const model = new CostModel(node.device, node, "sglang");

  test.each([
    ["masked", [1, 8, 32, 128, 256]],
    ["contiguous", [512, 2048, 8192, 16384]],
  ] as const)("twice the expert ranks with the same tokens each never make %s experts slower", (sent, batches) => {
    for (const tokens of batches) {
      const ns = [8, 16, 32, 64, 128, 256].map((ranks) => model.opNs(experts(ranks, tokens, sent)));
      for (const [i, one] of ns.slice(1).entries()) expect(one).toBeLessThan((ns[i] ?? 0) * mapError);
    }
  });

  test("kernels for sent tokens have maps of their own in every engine, for 8-bit products only", () => {
    const other = new CostModel(node.device, node, "vllm");
    for (const sent of ["masked", "contiguous"] as const) {
      const op = experts(32, 512, sent);
      expect(model.opNs(op)).not.toBe(model.opNs({ ...op, sent: undefined }));
      expect(other.opNs(op)).toBe(model.opNs(op));
      const wide = { ...op, weightFormat: "bf16", math: "bf16" } as const;
      expect(model.opNs(wide)).toBe(model.opNs({ ...wide, sent: undefined }));
    }
  });
});
