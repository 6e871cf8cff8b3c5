import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parametersOf } from "../../src/models/parameters.ts";
import {
  type Attention,
  type LayerSpec,
  type ModelSpec,
  type MoeFeedForward,
  tensorClasses,
} from "../../src/models/spec.ts";
import { drawn } from "../drawn.ts";
import { tinyScan } from "../sim/build.ts";
import { type Config, deepseek, mixtral, qwen3, resolve, small } from "./configs.ts";

const mapLayers = (spec: ModelSpec, change: (layer: LayerSpec) => LayerSpec): ModelSpec => ({
  ...spec,
  layers: spec.layers.map(change),
});
const mapMoe = (spec: ModelSpec, change: (moe: MoeFeedForward) => MoeFeedForward): ModelSpec =>
  mapLayers(spec, (layer) =>
    layer.feedForward.kind === "moe" ? { ...layer, feedForward: change(layer.feedForward) } : layer,
  );

describe("closed forms", () => {
  test("Mixtral: embedding, head, four projections, eight gated experts, a router and two norms a layer", () => {
    const layer = 64 * 64 * 2 + 64 * 32 * 2 + 8 * 3 * 64 * 32 + 64 * 8 + 2 * 64;
    expect(parametersOf(resolve(mixtral)).total).toBe(2 * 1000 * 64 + 4 * layer + 64);
    expect(parametersOf(resolve(mixtral)).active).toBe(2 * 1000 * 64 + 4 * (layer - 6 * 3 * 64 * 32) + 64);
  });

  test("latent attention: two compressions, their expansions, output, norms of both latents", () => {
    const attention = 64 * 24 + 24 * 4 * 12 + 64 * 24 + 20 * 4 * 14 + 4 * 6 * 64 + 24 + 20;
    expect(parametersOf(resolve(deepseek)).byClass.attention).toBe(4 * attention);
    const direct = resolve({ ...deepseek, q_lora_rank: null });
    expect(parametersOf(direct).byClass.attention).toBe(4 * (attention - 64 * 24 - 24 * 48 - 24 + 64 * 48));
  });

  test("an indexer adds three projections and a key norm, except in layers that share one", () => {
    const sparse = { ...deepseek, model_type: "glm_moe_dsa", index_n_heads: 2, index_head_dim: 8, index_topk: 64 };
    const own = 24 * 2 * 8 + 64 * (8 + 2) + 16;
    const attention = (config: Config): number => parametersOf(resolve(config)).byClass.attention;
    expect(attention(sparse) - attention(deepseek)).toBe(4 * own);
    const shared = { ...sparse, indexer_types: ["full", "shared", "shared", "shared"] };
    expect(attention(shared) - attention(deepseek)).toBe(own);
  });

  test("an output gate is as wide as the query projection, keys that are values save their projection", () => {
    const gated = parametersOf(resolve({ ...qwen3, attn_output_gate: true })).byClass.attention;
    expect(gated - parametersOf(resolve(qwen3)).byClass.attention).toBe(4 * 64 * 64);
  });

  test("keys that double as values have one projection, a gate of latent attention is as wide as its values", () => {
    const gemma: Config = {
      ...small,
      model_type: "gemma4",
      head_dim: 16,
      attention_k_eq_v: true,
      layer_types: Array(4).fill("full_attention") as string[],
      intermediate_size: 96,
    };
    expect(parametersOf(resolve(gemma)).byClass.attention).toBe(4 * (64 * (64 + 32 + 64) + 2 * 16));
    const attention = (config: Config): number => parametersOf(resolve(config)).byClass.attention;
    expect(attention({ ...deepseek, mla_use_output_gate: true }) - attention(deepseek)).toBe(4 * 64 * 4 * 6);
  });

  test("a shared expert's gate is one column of the hidden size", () => {
    const qwen2 = { ...qwen3, model_type: "qwen2_moe", shared_expert_intermediate_size: 40 };
    expect(parametersOf(resolve(qwen2)).byClass.shared).toBe(4 * (3 * 64 * 40 + 64));
    expect(parametersOf(resolve({ ...deepseek, n_shared_experts: 2 })).byClass.shared).toBe(3 * 3 * 64 * 64);
  });

  test("compressed attention: shared keys, grouped output, a compressor by ratio, mixed residual streams", () => {
    const spec = resolve({
      ...small,
      model_type: "deepseek_v4",
      num_hidden_layers: 3,
      num_key_value_heads: 1,
      head_dim: 32,
      qk_rope_head_dim: 8,
      q_lora_rank: 24,
      o_groups: 2,
      o_lora_rank: 12,
      sliding_window: 16,
      compress_ratios: [0, 4, 128],
      index_n_heads: 2,
      index_head_dim: 8,
      index_topk: 64,
      hc_mult: 4,
      n_routed_experts: 8,
      num_experts_per_tok: 2,
      moe_intermediate_size: 32,
    });
    const plain = 64 * 24 + 24 * 4 * 32 + 64 * 32 + 4 * 32 * 12 + 2 * 12 * 64 + (4 + 24 + 32);
    const compressor = 2 * 64 * 32 + 32;
    const overlapping = 2 * (2 * 64 * 32) + 32 + 4 * 2 * 32;
    const indexer = 24 * 2 * 8 + 64 * 2 + 2 * (2 * 64 * 8);
    const { byClass } = parametersOf(spec);
    expect(byClass.attention).toBe(3 * plain + overlapping + indexer + compressor + 128 * 32);
    const mixes = (2 + 4) * 4;
    expect(byClass.norm).toBe(3 * 2 * (64 + mixes * 4 * 64 + mixes + 3) + 64);
  });

  test("biases, query and key norms and sinks are counted where the class has them", () => {
    const attention = (changes: Config): number =>
      parametersOf(resolve({ ...mixtral, ...changes })).byClass.attention / 4 - (64 * 64 * 2 + 64 * 32 * 2);
    expect(attention({})).toBe(0);
    expect(attention({ attention_bias: true })).toBe(64 + 2 * 32 + 64);
    expect(attention({ use_qk_norm: true })).toBe(2 * 16);
    expect(attention({ model_type: "olmoe" })).toBe(64 + 32);
    expect(attention({ model_type: "gpt_oss", head_dim: 16 })).toBe(64 + 2 * 32 + 64 + 4);
  });

  test("experts of gpt-oss have biases, those of a latent model two shared projections", () => {
    const biased = parametersOf(resolve({ ...mixtral, model_type: "gpt_oss" })).byClass;
    expect(biased.experts).toBe(4 * 8 * (3 * 64 * 32 + 2 * 32 + 64));
    expect(biased.router).toBe(4 * (64 * 8 + 8));
    const latent = parametersOf(resolve({ ...qwen3, moe_latent_size: 16 })).byClass;
    expect(latent.experts).toBe(4 * 8 * 3 * 16 * 32);
    expect(latent.shared).toBe(4 * 2 * 64 * 16);
  });

  test("a tied embedding is stored once, a head bias has the vocabulary's size", () => {
    const tied = parametersOf(resolve({ ...mixtral, tie_word_embeddings: true }));
    expect(parametersOf(resolve(mixtral)).total - tied.total).toBe(64000);
    expect(tied.byClass.head).toBe(0);
    expect(parametersOf(resolve({ ...mixtral, lm_head_bias: true })).byClass.head).toBe(64000 + 1000);
  });

  test("linear mixers are counted from their parts", () => {
    const next: Config = {
      ...qwen3,
      model_type: "qwen3_next",
      full_attention_interval: 5,
      linear_num_key_heads: 2,
      linear_num_value_heads: 4,
      linear_key_head_dim: 8,
      linear_value_head_dim: 6,
      linear_conv_kernel_dim: 4,
    };
    const [keys, values] = [16, 24];
    const mixer = 64 * (2 * keys + 2 * values + 8) + (2 * keys + values) * 4 + values * 64 + 2 * 4 + 6;
    expect(parametersOf(resolve(next)).byClass.attention).toBe(4 * mixer);
    const kimi: Config = {
      ...deepseek,
      model_type: "kimi_linear",
      linear_attn_config: { full_attn_layers: [4], num_heads: 4, head_dim: 8, short_conv_kernel_size: 4 },
    };
    const lowRank = 64 * 8 + 8 * 32;
    const delta = 4 * 64 * 32 + 3 * 32 * 4 + 64 * 4 + 2 * lowRank + 4 + 32 + 8;
    const latent = parametersOf(resolve(deepseek)).byClass.attention / 4;
    expect(parametersOf(resolve(kimi)).byClass.attention).toBe(3 * delta + latent);
    const jamba: Config = {
      ...mixtral,
      model_type: "jamba",
      attn_layer_period: 9,
      attn_layer_offset: 8,
      expert_layer_period: 1,
      expert_layer_offset: 0,
      mamba_expand: 2,
      mamba_d_state: 4,
      mamba_d_conv: 3,
      mamba_dt_rank: 5,
    };
    const inner = 128;
    const norms = 5 + 2 * 4;
    const selective = 64 * 2 * inner + inner * (3 + 1) + inner * (5 + 8) + (5 + 1) * inner + inner * 4 + inner;
    expect(parametersOf(resolve(jamba)).byClass.attention).toBe(4 * (selective + norms + inner * 64));
    const mamba: Config = {
      ...small,
      model_type: "nemotron_h",
      hybrid_override_pattern: "MMMM",
      mamba_num_heads: 4,
      mamba_head_dim: 8,
      n_groups: 2,
      ssm_state_size: 16,
      conv_kernel: 4,
    };
    const convolved = 32 + 2 * 2 * 16;
    const block = 64 * (32 + convolved + 4) + convolved * 4 + convolved + 3 * 4 + 32 + 32 * 64;
    expect(parametersOf(resolve(mamba)).byClass.attention).toBe(4 * block);
  });
});

describe("laws", () => {
  const attentions: fc.Arbitrary<Attention> = fc.constantFrom(
    resolve(mixtral).layers[0]?.attention ?? { kind: "none" },
    resolve(deepseek).layers[0]?.attention ?? { kind: "none" },
    { kind: "linear", projectionParameters: 777, stateValues: 10, smallParameters: 3, scan: tinyScan },
    { kind: "none" },
  );
  const specs = fc
    .record({
      experts: fc.integer({ min: 1, max: 64 }),
      topShare: fc.integer({ min: 1, max: 64 }),
      width: fc.integer({ min: 1, max: 50 }).map((part) => part * 12),
      shared: fc.nat(40),
      layers: fc.array(attentions, { minLength: 1, maxLength: 6 }),
    })
    .map(({ experts, topShare, width, shared, layers }) => {
      const base = resolve(qwen3);
      const moe = base.layers[0]?.feedForward;
      if (moe?.kind !== "moe") throw new Error("no MoE layer");
      const topK = Math.min(topShare, experts);
      const feedForward = { ...moe, experts, topK, expertWidth: width, sharedWidth: shared };
      return { ...base, layers: layers.map((attention) => ({ attention, feedForward })) } satisfies ModelSpec;
    });

  test("total and active are the sums of their classes, and active is never more", () => {
    fc.assert(
      fc.property(specs, (spec) => {
        const { byClass, activeByClass, ...sums } = parametersOf(spec);
        const sum = (counts: Readonly<Record<string, number>>): number =>
          tensorClasses.reduce((running, name) => running + (counts[name] ?? Number.NaN), 0);
        expect(sums.total).toBe(sum(byClass));
        expect(sums.active).toBe(sum(activeByClass));
        for (const name of tensorClasses) expect(activeByClass[name]).toBeLessThanOrEqual(byClass[name]);
        expect(sums.total - sums.totalWithoutEmbedding).toBe(byClass.embedding + byClass.head);
        expect(sums.active - sums.activeWithoutEmbedding).toBe(byClass.embedding + byClass.head);
      }),
      { numRuns: drawn(200), seed: 1 },
    );
  });

  test("splitting each expert into m of 1/m width, m times as many of them chosen, changes neither but for the router", () => {
    fc.assert(
      fc.property(specs, fc.constantFrom(2, 3, 4, 6, 12), (spec, m) => {
        const split = mapMoe(spec, (moe) => ({
          ...moe,
          experts: moe.experts * m,
          topK: moe.topK * m,
          expertWidth: moe.expertWidth / m,
        }));
        const before = parametersOf(spec);
        const after = parametersOf(split);
        expect(after.total - after.byClass.router).toBe(before.total - before.byClass.router);
        expect(after.active - after.byClass.router).toBe(before.active - before.byClass.router);
      }),
      { numRuns: drawn(200), seed: 2 },
    );
  });

  test("with every expert chosen, active is total; layers add up in any order", () => {
    fc.assert(
      fc.property(specs, (spec) => {
        const all = mapMoe(spec, (moe) => ({ ...moe, topK: moe.experts }));
        expect(parametersOf(all).active).toBe(parametersOf(all).total);
        expect(parametersOf({ ...spec, layers: [...spec.layers].reverse() })).toEqual(parametersOf(spec));
      }),
      { numRuns: drawn(100), seed: 3 },
    );
  });
});
