import { describe, expect, test } from "vitest";
import type { GqaPlan, LayerPlan, LinearPlan, MlaPlan, MoePlan } from "../../../src/capture/decoder/plan.ts";
import {
  type Config,
  deepseekV2,
  deepseekV3,
  gptOss,
  mixtral,
  olmoe,
  panguProMoe,
  plan,
  qwen2Moe,
  qwen3Moe,
} from "./model-configs.ts";

const layerOf = (config: Config, index = 1): LayerPlan => plan(config).layers[index]!;
const attentionOf = (config: Config, index?: number) => layerOf(config, index).attention as GqaPlan;
const latentOf = (config: Config, index?: number) => layerOf(config, index).attention as MlaPlan;
const mixtureOf = (config: Config, index?: number) => layerOf(config, index).feedForward as MoePlan;

function linear(module: string, inputWidth: number, outputWidth: number, bias = false): LinearPlan {
  return { weight: `${module}.weight`, bias: bias ? `${module}.bias` : null, inputWidth, outputWidth };
}

const swiglu = (module: string, width: number) => ({
  kind: "dense",
  gate: linear(`${module}.gate_proj`, 32, width),
  up: linear(`${module}.up_proj`, 32, width),
  down: linear(`${module}.down_proj`, width, 32),
  activation: "silu",
});

const separate = (module: string) => ({
  kind: "separate",
  gate: `${module}.experts.{}.gate_proj.weight`,
  up: `${module}.experts.{}.up_proj.weight`,
  down: `${module}.experts.{}.down_proj.weight`,
});

const self = "model.layers.1.self_attn";
const mlp = "model.layers.1.mlp";

test("what every model has: embedding, norms, head", () => {
  const { layers, ...rest } = plan(mixtral);
  expect(rest).toEqual({
    architecture: "mixtral",
    hiddenSize: 32,
    vocabSize: 100,
    contextTokensMax: 128,
    normEpsilon: 1e-5,
    embedding: "model.embed_tokens.weight",
    finalNorm: "model.norm.weight",
    head: linear("lm_head", 32, 100),
  });
  expect(layers.map(({ index, attentionNorm, feedForwardNorm }) => [index, attentionNorm, feedForwardNorm])).toEqual(
    [0, 1, 2].map((i) => [
      i,
      `model.layers.${i}.input_layernorm.weight`,
      `model.layers.${i}.post_attention_layernorm.weight`,
    ]),
  );
});

test("a tied head is the embedding", () => {
  expect(plan({ ...qwen3Moe, tie_word_embeddings: true }).head.weight).toBe("model.embed_tokens.weight");
});

describe("Mixtral", () => {
  test("attention without biases and norms, an optional window in every layer", () => {
    const { rope, ...attention } = attentionOf(mixtral);
    expect(attention).toEqual({
      kind: "gqa",
      queryHeads: 4,
      kvHeads: 2,
      headDim: 8,
      query: linear(`${self}.q_proj`, 32, 32),
      key: linear(`${self}.k_proj`, 32, 16),
      value: linear(`${self}.v_proj`, 32, 16),
      output: linear(`${self}.o_proj`, 32, 32),
      queryNorm: null,
      keyNorm: null,
      normScope: "head",
      clip: null,
      windowTokens: null,
      sinks: null,
      scale: 1 / Math.sqrt(8),
    });
    expect([rope.dims, rope.interleaved, rope.magnitude]).toEqual([8, false, 1]);
    expect(
      plan({ ...mixtral, sliding_window: 5 }).layers.map((layer) => (layer.attention as GqaPlan).windowTokens),
    ).toEqual([5, 5, 5]);
  });

  test("experts under block_sparse_moe, their weights renormalised", () => {
    expect(mixtureOf(mixtral)).toEqual({
      kind: "moe",
      experts: 8,
      topK: 2,
      expertWidth: 48,
      gate: linear("model.layers.1.block_sparse_moe.gate", 32, 8),
      routing: { scoring: "softmax", normalisesTopK: true, scale: 1, groups: null },
      selectionBias: null,
      expert: {
        kind: "separate",
        gate: "model.layers.1.block_sparse_moe.experts.{}.w1.weight",
        up: "model.layers.1.block_sparse_moe.experts.{}.w3.weight",
        down: "model.layers.1.block_sparse_moe.experts.{}.w2.weight",
      },
      activation: "silu",
      shared: null,
      sharedGate: null,
    });
  });
});

describe("OLMoE", () => {
  test("norms over the whole projection, clipping and biases where the file asks for them", () => {
    expect(attentionOf(olmoe)).toMatchObject({
      queryNorm: `${self}.q_norm.weight`,
      keyNorm: `${self}.k_norm.weight`,
      normScope: "projection",
      clip: null,
      output: { bias: null },
    });
    expect(attentionOf({ ...olmoe, clip_qkv: 8, attention_bias: true })).toMatchObject({
      clip: 8,
      query: { bias: `${self}.q_proj.bias` },
      output: { bias: `${self}.o_proj.bias` },
    });
    const { num_key_value_heads: _heads, ...without } = olmoe;
    expect(attentionOf(without as Config).kvHeads).toBe(4);
  });

  test("experts as wide as intermediate_size, weights not renormalised by default", () => {
    expect(mixtureOf(olmoe)).toMatchObject({
      experts: 8,
      topK: 3,
      expertWidth: 24,
      gate: linear(`${mlp}.gate`, 32, 8),
      expert: separate(mlp),
      routing: { normalisesTopK: false },
      shared: null,
    });
    const { norm_topk_prob: _norm, ...without } = olmoe;
    expect(mixtureOf(without as Config).routing.normalisesTopK).toBe(false);
    expect(mixtureOf({ ...olmoe, norm_topk_prob: true }).routing.normalisesTopK).toBe(true);
  });
});

describe("Qwen1.5-MoE and Qwen2-MoE", () => {
  test("queries, keys and values are biased, the output is not", () => {
    const attention = attentionOf(qwen2Moe);
    expect([attention.query, attention.key, attention.value].map(({ bias }) => bias)).toEqual(
      ["q", "k", "v"].map((name) => `${self}.${name}_proj.bias`),
    );
    expect(attention).toMatchObject({ output: { bias: null }, queryNorm: null, headDim: 8, windowTokens: null });
    expect(attentionOf({ ...qwen2Moe, qkv_bias: false }).query.bias).toBeNull();
  });

  test("a shared expert behind its gate beside experts of another width", () => {
    expect(mixtureOf(qwen2Moe)).toMatchObject({
      experts: 8,
      topK: 3,
      expertWidth: 24,
      expert: separate(mlp),
      routing: { scoring: "softmax", normalisesTopK: false, scale: 1, groups: null },
      shared: swiglu(`${mlp}.shared_expert`, 40),
      sharedGate: linear(`${mlp}.shared_expert_gate`, 32, 1),
    });
  });

  test("windows of layer_types count only where they are switched on", () => {
    const layer_types = ["sliding_attention", "full_attention", "sliding_attention"];
    const windows = (config: Config) => plan(config).layers.map(({ attention }) => (attention as GqaPlan).windowTokens);
    expect(windows({ ...qwen2Moe, layer_types, use_sliding_window: true })).toEqual([64, null, 64]);
    expect(windows({ ...qwen2Moe, layer_types, sliding_window: 0 })).toEqual([null, null, null]);
  });
});

describe("Qwen3-MoE", () => {
  test("norms over each head, heads of a size of their own", () => {
    expect(attentionOf(qwen3Moe)).toMatchObject({
      headDim: 16,
      query: linear(`${self}.q_proj`, 32, 64),
      key: linear(`${self}.k_proj`, 32, 32),
      output: linear(`${self}.o_proj`, 64, 32),
      queryNorm: `${self}.q_norm.weight`,
      keyNorm: `${self}.k_norm.weight`,
      normScope: "head",
      scale: 1 / 4,
    });
    expect(attentionOf({ ...qwen3Moe, attention_bias: true }).output.bias).toBe(`${self}.o_proj.bias`);
  });

  test("weights are renormalised where the file says so, not by default", () => {
    expect(mixtureOf(qwen3Moe).routing.normalisesTopK).toBe(true);
    const { norm_topk_prob: _norm, ...without } = qwen3Moe;
    expect(mixtureOf(without as Config).routing.normalisesTopK).toBe(false);
  });

  test("layers are dense where mlp_only_layers or decoder_sparse_step say so", () => {
    const kinds = (config: Config) => plan(config).layers.map(({ feedForward }) => feedForward.kind);
    expect(kinds(qwen3Moe)).toEqual(["moe", "moe", "moe"]);
    expect(kinds({ ...qwen3Moe, mlp_only_layers: [1] })).toEqual(["moe", "dense", "moe"]);
    expect(kinds({ ...qwen3Moe, decoder_sparse_step: 2 })).toEqual(["dense", "moe", "dense"]);
    expect(layerOf({ ...qwen3Moe, mlp_only_layers: [1] }).feedForward).toEqual(swiglu(mlp, 48));
  });

  test("the keys of transformers 5 give the same plan", () => {
    const { num_experts: _experts, rope_theta, rope_scaling: _scaling, torch_dtype: _dtype, ...rest } = qwen3Moe;
    const newer = {
      ...rest,
      dtype: "bfloat16",
      num_local_experts: 8,
      rope_parameters: { rope_theta: rope_theta!, rope_type: "default" },
    };
    expect(plan(newer)).toEqual(plan(qwen3Moe));
  });
});

describe("DeepSeek-V2", () => {
  test("latent attention with compressed queries and rotary values in neighbouring pairs", () => {
    const { rope, scale: _scale, ...attention } = latentOf(deepseekV2);
    expect(attention).toEqual({
      kind: "mla",
      queryHeads: 4,
      nopeHeadDim: 12,
      ropeHeadDim: 4,
      valueHeadDim: 10,
      kvLoraRank: 16,
      queryDown: { linear: linear(`${self}.q_a_proj`, 32, 20), norm: `${self}.q_a_layernorm.weight` },
      queryUp: linear(`${self}.q_b_proj`, 20, 64),
      kvDown: linear(`${self}.kv_a_proj_with_mqa`, 32, 20),
      kvNorm: `${self}.kv_a_layernorm.weight`,
      kvUp: linear(`${self}.kv_b_proj`, 16, 88),
      output: linear(`${self}.o_proj`, 40, 32),
    });
    expect([rope.dims, rope.interleaved]).toEqual([4, true]);
  });

  test("queries are projected directly where q_lora_rank is null, as in V2-Lite", () => {
    expect(latentOf({ ...deepseekV2, q_lora_rank: null })).toMatchObject({
      queryDown: null,
      queryUp: linear(`${self}.q_proj`, 32, 64),
    });
  });

  test("a bias is on the compressions and the output only", () => {
    const attention = latentOf({ ...deepseekV2, attention_bias: true });
    expect(attention.queryDown?.linear.bias).toBe(`${self}.q_a_proj.bias`);
    expect(attention.kvDown.bias).toBe(`${self}.kv_a_proj_with_mqa.bias`);
    expect(attention.output.bias).toBe(`${self}.o_proj.bias`);
    expect([attention.queryUp.bias, attention.kvUp.bias]).toEqual([null, null]);
  });

  test("groups by their best expert, weights scaled and not renormalised, shared experts as one network", () => {
    expect(mixtureOf(deepseekV2)).toMatchObject({
      experts: 8,
      topK: 3,
      expertWidth: 24,
      gate: linear(`${mlp}.gate`, 32, 8),
      selectionBias: null,
      routing: {
        scoring: "softmax",
        normalisesTopK: false,
        scale: 16,
        groups: { count: 4, kept: 2, rank: "max" },
      },
      shared: swiglu(`${mlp}.shared_experts`, 48),
      sharedGate: null,
    });
    expect(mixtureOf({ ...deepseekV2, topk_method: "greedy" }).routing.groups).toBeNull();
    expect(mixtureOf({ ...deepseekV2, n_shared_experts: 0 }).shared).toBeNull();
  });

  test("the first layers are dense, and those that moe_layer_freq passes over", () => {
    const kinds = (config: Config) => plan(config).layers.map(({ feedForward }) => feedForward.kind);
    expect(kinds(deepseekV2)).toEqual(["dense", "moe", "moe"]);
    expect(kinds({ ...deepseekV2, moe_layer_freq: 2 })).toEqual(["dense", "dense", "moe"]);
    expect(kinds({ ...deepseekV2, first_k_dense_replace: 3 })).toEqual(["dense", "dense", "dense"]);
  });
});

describe("DeepSeek-V3", () => {
  test("sigmoid scores, a selection bias, groups by their best two, scaled after renormalisation", () => {
    expect(mixtureOf(deepseekV3)).toMatchObject({
      selectionBias: `${mlp}.gate.e_score_correction_bias`,
      routing: {
        scoring: "sigmoid",
        normalisesTopK: true,
        scale: 2.5,
        groups: { count: 4, kept: 2, rank: "topTwo" },
      },
      shared: swiglu(`${mlp}.shared_experts`, 24),
    });
    expect(mixtureOf({ ...deepseekV3, norm_topk_prob: false }).routing.normalisesTopK).toBe(false);
  });

  test("rotary pairs are neighbours unless the file says otherwise", () => {
    expect(latentOf(deepseekV3).rope.interleaved).toBe(true);
    expect(latentOf({ ...deepseekV3, rope_interleave: false }).rope.interleaved).toBe(false);
  });

  test("Kimi K2 is the same class with one group", () => {
    const kimi = plan({ ...deepseekV3, model_type: "kimi_k2", n_group: 1, topk_group: 1 });
    expect(kimi.architecture).toBe("deepseek-v3");
    expect((kimi.layers[1]!.feedForward as MoePlan).routing.groups).toBeNull();
  });
});

describe("gpt-oss", () => {
  test("sinks and biases in every layer, windows where layer_types has them", () => {
    expect(attentionOf(gptOss)).toMatchObject({
      headDim: 16,
      query: linear(`${self}.q_proj`, 32, 64, true),
      output: linear(`${self}.o_proj`, 64, 32, true),
      sinks: `${self}.sinks`,
      queryNorm: null,
      windowTokens: null,
    });
    const windows = (config: Config) => plan(config).layers.map(({ attention }) => (attention as GqaPlan).windowTokens);
    expect(windows(gptOss)).toEqual([8, null, 8]);
    expect(windows({ ...gptOss, layer_types: null })).toEqual([8, null, 8]);
    expect(windows({ ...gptOss, layer_types: ["full_attention", "full_attention", "sliding_attention"] })).toEqual([
      null,
      null,
      8,
    ]);
  });

  test("fused experts with biases and the clamped activation, softmax over the chosen", () => {
    expect(mixtureOf(gptOss)).toEqual({
      kind: "moe",
      experts: 8,
      topK: 3,
      expertWidth: 48,
      gate: linear(`${mlp}.router`, 32, 8, true),
      routing: { scoring: "softmax", normalisesTopK: true, scale: 1, groups: null },
      selectionBias: null,
      expert: {
        kind: "fused",
        gateUp: `${mlp}.experts.gate_up_proj`,
        gateUpBias: `${mlp}.experts.gate_up_proj_bias`,
        down: `${mlp}.experts.down_proj`,
        downBias: `${mlp}.experts.down_proj_bias`,
      },
      activation: "clampedSwish",
      shared: null,
      sharedGate: null,
    });
  });
});

test("Pangu Pro MoE: as many groups as experts per token, one of each, with a factor on each expert's output", () => {
  expect(attentionOf(panguProMoe)).toMatchObject({
    query: { bias: `${self}.q_proj.bias` },
    output: { bias: `${self}.o_proj.bias` },
    queryNorm: null,
  });
  expect(mixtureOf(panguProMoe)).toMatchObject({
    routing: { scoring: "softmax", normalisesTopK: false, scale: 1, groups: { count: 4, kept: 4, rank: "each" } },
    expert: { ...separate(mlp), outputScale: `${mlp}.router_scale` },
    shared: swiglu(`${mlp}.shared_expert`, 40),
    sharedGate: null,
  });
});
