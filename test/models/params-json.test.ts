import { describe, expect, test } from "vitest";
import { modelNamed } from "../../src/models/catalogue.ts";
import { parametersOf } from "../../src/models/parameters.ts";
import { resolveConfig } from "../../src/models/resolve.ts";
import type { Config } from "./configs.ts";

const mixtral: Config = {
  dim: 4096,
  n_layers: 32,
  head_dim: 128,
  hidden_dim: 14336,
  n_heads: 32,
  n_kv_heads: 8,
  norm_eps: 1e-5,
  vocab_size: 32000,
  rope_theta: 1e6,
  moe: { num_experts_per_tok: 2, num_experts: 8 },
};

const large: Config = {
  dim: 7168,
  n_layers: 61,
  head_dim: 128,
  hidden_dim: 16384,
  n_heads: 128,
  n_kv_heads: 128,
  vocab_size: 131072,
  tied_embeddings: false,
  max_position_embeddings: 294912,
  max_seq_len: 262144,
  model_type: "transformer",
  q_lora_rank: 1536,
  qk_rope_head_dim: 64,
  qk_nope_head_dim: 128,
  kv_lora_rank: 512,
  v_head_dim: 128,
  quantization: { qformat_weight: "fp8_e4m3", qscheme_act: "TENSOR" },
  llama_4_scaling: { original_max_position_embeddings: 8192, beta: 0.1 },
  vision_encoder: { hidden_size: 1664, num_hidden_layers: 48, num_attention_heads: 16 },
  moe: {
    expert_parallel: 1,
    expert_model_parallel: 1,
    route_every_n: 1,
    first_k_dense_replace: 3,
    num_experts: 128,
    num_experts_per_tok: 4,
    num_expert_groups: 1,
    num_expert_groups_per_tok: 1,
    routed_scale: 1,
    expert_hidden_dim: 4096,
    num_shared_experts: 1,
  },
};

const read = (params: Config) => resolveConfig(params, { file: "params.json" });
const messagesOf = (params: Config): string => {
  try {
    read(params);
    return "";
  } catch (error) {
    return String(error);
  }
};

describe("published models", () => {
  test("Mixtral 8x7B and 8x22B are the models of their config.json but for the context", () => {
    const { spec, assumptions } = read(mixtral);
    const known = modelNamed("mixtral-8x7b");
    expect(spec).toMatchObject({
      layers: known.layers,
      formats: known.formats,
      modelType: "mixtral",
      contextTokensMax: 128_000,
    });
    expect(parametersOf(spec)).toEqual(parametersOf(known));
    expect(assumptions).toContain("a context of 128000 tokens, as engines take it where params.json gives none");
    const wide = read({ ...mixtral, dim: 6144, n_layers: 56, hidden_dim: 16384, n_heads: 48 }).spec;
    expect(parametersOf(wide)).toEqual(parametersOf(modelNamed("mixtral-8x22b")));
  });

  test("Mistral Large 3 holds the published 673 B, 39 B active with the head and without the embedding, in FP8", () => {
    const { spec } = read(large);
    const { total, active, byClass } = parametersOf(spec);
    expect(Math.round(total / 1e9)).toBe(673);
    expect(Math.round((active - byClass.embedding) / 1e9)).toBe(39);
    expect(spec).toMatchObject({ modelType: "mistral4", contextTokensMax: 262144 });
    expect(spec.formats).toMatchObject({ experts: "fp8", attention: "fp8", head: "bf16" });
    expect(spec.layers.map(({ feedForward }) => feedForward.kind).filter((kind) => kind === "dense")).toHaveLength(3);
    expect(spec.layers[3]?.feedForward).toMatchObject({ router: { scoring: "softmax", bias: false, groups: null } });
  });

  test("a dense model and one whose experts have a width of their own", () => {
    const dense = read({ ...mixtral, moe: null, sliding_window: 4096, max_seq_len: 32768 }).spec;
    expect(dense).toMatchObject({ modelType: "mistral", contextTokensMax: 32768 });
    expect(dense.layers[0]).toMatchObject({
      attention: { windowTokens: 4096 },
      feedForward: { kind: "dense", width: 14336 },
    });
    const narrow = read({ ...mixtral, moe: { num_experts: 8, num_experts_per_tok: 2, expert_hidden_dim: 512 } }).spec;
    expect(narrow.layers[0]?.feedForward).toMatchObject({ kind: "moe", expertWidth: 512 });
  });

  test("a list of windows repeats over the layers", () => {
    const { spec } = read({ ...mixtral, sliding_window: [null, 1024, 1024, 1024] });
    const windows = spec.layers.map(({ attention }) => (attention.kind === "gqa" ? attention.windowTokens : 0));
    expect(windows.slice(0, 5)).toEqual([null, 1024, 1024, 1024, null]);
  });
});

test("numbers are told by the keys of the file", () => {
  const { provenance } = read(mixtral).spec;
  expect(provenance["hiddenSize"]?.key).toBe("dim");
  expect(provenance["layers[].feedForward.experts"]?.key).toBe("moe.num_experts");
});

describe("refused", () => {
  test("by the keys of the file", () => {
    const text = messagesOf({
      ...mixtral,
      n_kv_heads: 9,
      moe: { num_experts: 8, num_experts_per_tok: 9 },
    });
    for (const key of ["n_kv_heads", "moe.num_experts_per_tok"]) expect(text).toContain(`params.json: ${key}: `);
  });

  test("what may change a shape and is not known, at the top and in moe", () => {
    const text = messagesOf({
      ...mixtral,
      extra_dim: 3,
      moe: { num_experts: 8, num_experts_per_tok: 2, zero_experts: 4 },
    });
    expect(text).toContain("params.json: extra_dim: expected a key known");
    expect(text).toContain("params.json: moe.zero_experts: expected a key known");
    expect(messagesOf({ ...mixtral, moe: 8 })).toContain("params.json: moe: expected a key known");
  });

  test("a quantisation that is not known, and windows of two widths", () => {
    expect(messagesOf({ ...mixtral, quantization: { qformat_weight: "int3" } })).toContain(
      "params.json: quantization.",
    );
    expect(messagesOf({ ...mixtral, sliding_window: [null, 128, 256, 128] })).toContain(
      "params.json: sliding_window: ",
    );
  });

  test("a file of Llama's, which gives no width", () => {
    expect(
      messagesOf({ dim: 4096, n_layers: 32, n_heads: 32, multiple_of: 256, norm_eps: 1e-5, vocab_size: 32000 }),
    ).toContain("intermediate_size: expected a whole number");
  });
});
