import { describe, expect, test } from "vitest";
import { modelNamed } from "../../src/models/catalogue.ts";
import { flopsPerToken } from "../../src/models/flops.ts";
import { parametersOf } from "../../src/models/parameters.ts";
import type { ModelSpec } from "../../src/models/spec.ts";
import { resolve } from "../models/configs.ts";

const ours = modelNamed("deepseek-moe-16b");
const llama = resolve({
  model_type: "llama",
  hidden_size: 4096,
  num_hidden_layers: 32,
  vocab_size: 32000,
  max_position_embeddings: 4096,
  num_attention_heads: 32,
  num_key_value_heads: 32,
  intermediate_size: 11008,
  torch_dtype: "float16",
});
const tokens = 4096;

/**
 * Operations of one training sequence: forward and backward are three times the forward pass. "Full" attention scores
 * every token against all 4,096, as the usual estimate of training operations does.
 */
function perSequence(spec: ModelSpec, { full, logits }: { full: boolean; logits: boolean }): number {
  const phase = full ? "decode" : "prefill";
  return 3 * tokens * flopsPerToken(spec, { contextTokens: tokens, phase, logits }).total;
}
const percent = (options: { full: boolean; logits: boolean }) =>
  (100 * perSequence(ours, options)) / perSequence(llama, options);

describe("DeepSeekMoE 16B against LLaMA2-7B on sequences of 4,096 tokens (arXiv 2401.06066)", () => {
  test("takes 40.2 % of the operations with full attention and LM head: 75.9 T of 188.8 T", () => {
    expect((perSequence(ours, { full: true, logits: true }) / 1e12).toFixed(1)).toBe("75.9");
    expect((perSequence(llama, { full: true, logits: true }) / 1e12).toFixed(1)).toBe("188.8");
    expect(percent({ full: true, logits: true }).toFixed(1)).toBe("40.2");
  });

  test("the operations are those of the matrices written out by hand", () => {
    // 28 layers: four projections of 2,048 x 2,048, scores and sums over 4,096 keys; one dense layer of width 10,944, then
    // 27 with two shared and six of 64 routed experts of width 1,408 and a router; a head of 102,400.
    const attention = 28 * (2 * 4 * 2048 * 2048 + 4 * 2048 * tokens);
    const feedForward = 2 * 3 * 2048 * (10944 + 27 * 8 * 1408) + 27 * 2 * 2048 * 64;
    const byHand = 3 * tokens * (attention + feedForward + 2 * 2048 * 102400);
    expect(perSequence(ours, { full: true, logits: true })).toBe(byHand);
    const dense = 32 * (2 * 4 * 4096 * 4096 + 4 * 4096 * tokens + 2 * 3 * 4096 * 11008) + 2 * 4096 * 32000;
    expect(perSequence(llama, { full: true, logits: true })).toBe(3 * tokens * dense);
  });

  test("other conventions move the ratio by two points at most, so that the definition must be said", () => {
    expect(percent({ full: false, logits: true }).toFixed(1)).toBe("39.9");
    expect(percent({ full: true, logits: false }).toFixed(1)).toBe("38.1");
  });

  test("splitting experts into finer ones changes neither total nor active parameters of the experts", () => {
    const split = (m: number): ModelSpec => ({
      ...ours,
      layers: ours.layers.map((layer) => {
        const { feedForward } = layer;
        if (feedForward.kind !== "moe") return layer;
        const { experts, topK, expertWidth } = feedForward;
        const finer = { ...feedForward, experts: m * experts, topK: m * topK, expertWidth: expertWidth / m };
        return { ...layer, feedForward: finer };
      }),
    });
    const whole = parametersOf(ours);
    for (const m of [2, 4]) {
      const fine = parametersOf(split(m));
      expect(fine.byClass.experts).toBe(whole.byClass.experts);
      expect(fine.activeByClass.experts).toBe(whole.activeByClass.experts);
    }
  });
});
