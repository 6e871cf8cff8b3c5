import { expect, test } from "vitest";
import { CostModel } from "../../../src/hardware/cost.ts";
import { nodeNamed } from "../../../src/hardware/named-profiles.ts";
import type { GqaAttention } from "../../../src/models/spec.ts";
import { attentionProgram } from "../../../src/sim/step/attention-program.ts";
import { attentionWindows } from "../../../src/sim/step/attention-windows.ts";
import { addChunk, emptyBatch } from "../../../src/sim/step/batch.ts";

const node = nodeNamed("h200-sxm-8");
const hidden = 7168;
const plain: GqaAttention = {
  kind: "gqa",
  queryHeads: 64,
  kvHeads: 1,
  headDim: 256,
  windowTokens: null,
  outputGate: false,
  smallParameters: 0,
};
const stepped: GqaAttention = { ...plain, queryRank: 2048 };

function program(attention: GqaAttention, tp: number) {
  return attentionProgram(attention, {
    hidden,
    tp,
    weightFormat: "bf16",
    kvFormat: "bf16",
    math: "bf16",
    cost: new CostModel(node.device, node, "vllm"),
    mixedDecodeRows: null,
    sparseDenseTokens: 0,
    windows: attentionWindows([attention]),
  });
}

test("queries projected in two steps hold the first step on every rank and split the second", () => {
  const queries = 64 * 256;
  for (const tp of [1, 2, 8]) {
    expect(program(plain, tp).weightValues).toBe(hidden * (queries / tp + 512) + (queries / tp) * hidden);
    expect(program(stepped, tp).weightValues).toBe(
      hidden * (2048 + 512) + 2048 * (queries / tp) + (queries / tp) * hidden,
    );
  }
});

test("a prompt takes less time where two steps are fewer operations than one", () => {
  const windows = attentionWindows([plain]);
  const batch = emptyBatch(windows.length);
  addChunk(batch, windows, 0, 4096, false);
  expect(program(stepped, 1).productsNs(batch)).toBeLessThan(program(plain, 1).productsNs(batch));
});
