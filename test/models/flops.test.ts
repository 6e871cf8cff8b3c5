import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { catalogue, modelNamed } from "../../src/models/catalogue.ts";
import { flopsPerToken, keysSeen } from "../../src/models/flops.ts";
import { parametersOf } from "../../src/models/parameters.ts";
import type { ModelSpec } from "../../src/models/spec.ts";
import { drawn } from "../drawn.ts";
import { deepseek, resolve, small } from "./configs.ts";

const decode = (spec: ModelSpec, contextTokens: number): number =>
  flopsPerToken(spec, { contextTokens, phase: "decode", logits: true }).total;

describe("operations per token", () => {
  test("weights cost two operations per active matrix value, the embedding none, the head when logits are wanted", () => {
    const spec = modelNamed("mixtral-8x7b");
    const { activeByClass } = parametersOf(spec);
    const matrices = activeByClass.attention + activeByClass.experts + activeByClass.router;
    const off = flopsPerToken(spec, { contextTokens: 1, phase: "decode", logits: false });
    expect(off.total - off.mixing).toBe(2 * matrices);
    expect(decode(spec, 1) - off.total).toBe(2 * activeByClass.head);
    expect(off.weights.embedding).toBe(0);
  });

  test("a tied head still costs its product", () => {
    const spec = { ...modelNamed("mixtral-8x7b"), tiedEmbeddings: true };
    expect(decode(spec, 7)).toBe(decode(modelNamed("mixtral-8x7b"), 7));
  });

  test("scores and sums cost four operations per head dimension and key", () => {
    const { mixing } = flopsPerToken(modelNamed("mixtral-8x7b"), {
      contextTokens: 100,
      phase: "decode",
      logits: false,
    });
    expect(mixing).toBe(32 * 4 * 32 * 128 * 100);
  });

  test("latent attention scores in the latent space when it decodes and in the heads when it prefills", () => {
    const spec = resolve(deepseek);
    const options = { contextTokens: 9, logits: false };
    expect(flopsPerToken(spec, { ...options, phase: "decode" }).mixing).toBe(4 * 2 * 4 * (2 * 20 + 4) * 9);
    expect(flopsPerToken(spec, { ...options, phase: "prefill" }).mixing).toBe(4 * 2 * 4 * (8 + 4 + 6) * 5);
  });

  test("an indexer looks at all keys so that attention looks at few", () => {
    const spec = resolve({
      ...deepseek,
      model_type: "glm_moe_dsa",
      index_n_heads: 2,
      index_head_dim: 8,
      index_topk: 64,
    });
    const { mixing } = flopsPerToken(spec, { contextTokens: 1000, phase: "decode", logits: false });
    expect(mixing).toBe(4 * (2 * 4 * 44 * 64 + 2 * 2 * 8 * 1000));
  });
});

describe("layers with little to look at", () => {
  test("a linear layer reads, updates and applies its state, whatever the context", () => {
    const mamba = resolve({
      ...small,
      model_type: "nemotron_h",
      hybrid_override_pattern: "MMMM",
      mamba_num_heads: 4,
      mamba_head_dim: 8,
      n_groups: 2,
      ssm_state_size: 16,
      conv_kernel: 4,
    });
    const state = 32 * 16 + (32 + 2 * 2 * 16) * 3;
    for (const contextTokens of [1, 1000])
      for (const phase of ["prefill", "decode"] as const)
        expect(flopsPerToken(mamba, { contextTokens, phase, logits: false }).mixing).toBe(4 * 3 * 2 * state);
  });

  test("compressed attention looks at its window and at selected or all entries", () => {
    const spec = modelNamed("deepseek-v4-flash");
    const perKey = 2 * 64 * 2 * 512;
    const counted = (layer: number, contextTokens: number): number =>
      flopsPerToken(
        { ...spec, layers: spec.layers.slice(layer, layer + 1) },
        { contextTokens, phase: "decode", logits: false },
      ).mixing;
    expect(counted(0, 100_000)).toBe(perKey * 128);
    expect(counted(2, 8192)).toBe(perKey * (128 + 512) + 2 * 64 * 128 * 2048);
    expect(counted(2, 400)).toBe(perKey * (128 + 100) + 2 * 64 * 128 * 100);
    expect(counted(3, 8192)).toBe(perKey * (128 + 64));
  });
});

describe("keys seen", () => {
  test("in prefill the mean over the tokens, as summed one by one", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), fc.option(fc.integer({ min: 1, max: 400 })), (tokens, limit) => {
        let sum = 0;
        for (let token = 1; token <= tokens; token += 1) sum += Math.min(token, limit ?? token);
        const seen = keysSeen({ contextTokens: tokens, phase: "prefill", logits: false }, limit);
        expect(seen).toBeCloseTo(sum / tokens, 9);
      }),
      { numRuns: drawn(200), seed: 7 },
    );
  });

  test("in decode all, up to the window", () => {
    const options = { contextTokens: 50, phase: "decode", logits: false } as const;
    expect([null, 10, 90].map((limit) => keysSeen(options, limit))).toEqual([50, 10, 50]);
  });

  test("more context never costs less, and prefill's mean never more than its last token, but for unabsorbed heads", () => {
    fc.assert(
      fc.property(fc.constantFrom(...Object.keys(catalogue)), fc.integer({ min: 1, max: 50_000 }), (id, tokens) => {
        const spec = modelNamed(id);
        expect(decode(spec, tokens + 1000)).toBeGreaterThanOrEqual(decode(spec, tokens));
        if (spec.layers.some(({ attention }) => attention.kind === "mla")) return;
        const prefill = flopsPerToken(spec, { contextTokens: tokens, phase: "prefill", logits: true }).total;
        expect(prefill).toBeLessThanOrEqual(decode(spec, tokens) * (1 + 1e-12));
      }),
      { numRuns: drawn(200), seed: 8 },
    );
  });
});
