import { describe, expect, test } from "vitest";
import { InvalidInputError } from "../../src/core/errors.ts";
import type { Json } from "../../src/core/json.ts";
import { flopsPerToken } from "../../src/models/flops.ts";
import { parametersOf } from "../../src/models/parameters.ts";
import { resolveConfig } from "../../src/models/resolve.ts";
import type { Attention, GqaAttention, ModelSpec } from "../../src/models/spec.ts";
import { type Config, deepseek, mixtral, qwen3, resolve, without } from "./configs.ts";

const noted = (config: Json): readonly string[] => resolveConfig(config, { file: "config.json" }).assumptions;

function problemsOf(config: Json): readonly string[] {
  try {
    resolve(config);
  } catch (error) {
    if (error instanceof InvalidInputError) return error.problems.map(({ at, expected }) => `${at}: ${expected}`);
    throw error;
  }
  return [];
}

const grouped = (spec: ModelSpec): readonly GqaAttention[] =>
  spec.layers.map(({ attention }) => {
    if (attention.kind !== "gqa") throw new Error("no grouped attention");
    return attention;
  });

const kinds = (spec: ModelSpec): string => spec.layers.map(({ feedForward }) => feedForward.kind).join(" ");
const windows = (spec: ModelSpec): readonly (number | null)[] => grouped(spec).map(({ windowTokens }) => windowTokens);

describe("the type of the language model", () => {
  const untyped = without(deepseek, "model_type");

  test.each(["kimi_vl", "kimi_k25"])("inside %s, which does not say it, is that of DeepSeek-V3", (outer) => {
    expect(resolve({ model_type: outer, text_config: untyped }).modelType).toBe("deepseek_v3");
  });

  test("is that of the class where an object has one and no type", () => {
    const inner = { ...untyped, scoring_func: "softmax", architectures: ["DeepseekV2ForCausalLM"] };
    expect(resolve({ model_type: "wrapper", language_config: inner }).modelType).toBe("deepseek_v2");
  });

  test("is that of the class where several classes write one type", () => {
    const ling = { ...qwen3, model_type: "bailing_moe" };
    const scoring = (config: Config): string | undefined => {
      const network = resolve(config).layers[0]?.feedForward;
      return network?.kind === "moe" ? network.router.scoring : undefined;
    };
    expect(scoring({ ...ling, architectures: ["BailingMoeForCausalLM"] })).toBe("softmax");
    expect(scoring({ ...ling, architectures: ["BailingMoeV2ForCausalLM"] })).toBe("sigmoid");
    expect(scoring(ling)).toBe("softmax");
  });

  test("is that of the wrapper where its object may say another", () => {
    const text = { ...qwen3, model_type: "minimax_m2", dense_intermediate_size: 96 };
    expect(resolve({ model_type: "minimax_m3_vl", text_config: text }).modelType).toBe("minimax_m3");
  });

  test("may be written with hyphens", () => {
    expect(resolve({ ...mixtral, model_type: "grok-1" }).modelType).toBe("grok_1");
    expect(problemsOf({ ...mixtral, model_type: "nllb-moe" })).toEqual([
      "model_type: a decoder-only model of plain layers",
    ]);
  });

  test("an untyped object in an unknown wrapper is refused under the name of the wrapper", () => {
    expect(() => resolve({ model_type: "novel_vl", text_config: untyped })).toThrow(/novel_vl/);
  });
});

describe("keys that a file leaves out", () => {
  const latent = ["q_lora_rank", "kv_lora_rank", "qk_nope_head_dim", "qk_rope_head_dim", "v_head_dim"];

  test("of latent attention are those of the configuration class, each an assumption", () => {
    const config = without(deepseek, ...latent);
    expect(resolve(config).layers[0]?.attention).toMatchObject({
      queryLoraRank: 1536,
      kvLoraRank: 512,
      nopeHeadDim: 128,
      ropeHeadDim: 64,
      valueHeadDim: 128,
    });
    expect([...noted(config)].sort()).toEqual(
      ["kv_lora_rank 512", "q_lora_rank 1536", "qk_nope_head_dim 128", "qk_rope_head_dim 64", "v_head_dim 128"].map(
        (text) => `${text}, the default of the model class`,
      ),
    );
  });

  test("and those that it sets to null are none", () => {
    const config = { ...deepseek, q_lora_rank: null };
    expect(resolve(config).layers[0]?.attention).toMatchObject({ queryLoraRank: null });
    expect(noted(config)).toEqual([]);
  });

  test("a default gives way to any synonym that is there", () => {
    const aria = { ...qwen3, model_type: "aria", intermediate_size: 32 };
    expect(resolve(without(aria, "moe_intermediate_size")).layers[0]?.feedForward).toMatchObject({ experts: 8 });
    const bare = without(aria, "num_experts", "num_experts_per_tok", "moe_intermediate_size");
    expect(resolve(bare).layers[0]?.feedForward).toMatchObject({ experts: 64, topK: 6, sharedWidth: 64 });
  });
});

describe("latent attention that is switched off", () => {
  const config: Config = {
    ...deepseek,
    model_type: "deepseek_v2",
    use_mla: false,
    kv_lora_rank: null,
    q_lora_rank: null,
    qk_nope_head_dim: 0,
    qk_rope_head_dim: 0,
    v_head_dim: 0,
    scoring_func: "softmax",
    topk_method: "greedy",
  };

  test("leaves grouped attention with heads of hidden size over heads", () => {
    expect(resolve(config).layers[0]?.attention).toMatchObject({ kind: "gqa", kvHeads: 4, headDim: 16 });
    expect(noted(config)).toEqual([]);
  });

  test("and one that is switched on where a class has none is refused", () => {
    expect(problemsOf({ ...qwen3, use_mla: true })[0]).toMatch(/^use_mla: false/);
  });
});

describe("DeepSeek-V4 as newer files write it", () => {
  const older: Config = {
    ...without(
      deepseek,
      "kv_lora_rank",
      "qk_nope_head_dim",
      "v_head_dim",
      "intermediate_size",
      "first_k_dense_replace",
    ),
    model_type: "deepseek_v4",
    num_key_value_heads: 1,
    head_dim: 32,
    qk_rope_head_dim: 8,
    o_groups: 2,
    o_lora_rank: 12,
    sliding_window: 16,
    compress_ratios: [0, 128, 4, 128],
    index_n_heads: 2,
    index_head_dim: 8,
    index_topk: 64,
    num_hash_layers: 1,
    scoring_func: "sqrtsoftplus",
  };
  const shape = (config: Config): Json => JSON.parse(JSON.stringify({ ...resolve(config), provenance: {} })) as Json;
  const layer_types = [
    "sliding_attention",
    "heavily_compressed_attention",
    "compressed_sparse_attention",
    "heavily_compressed_attention",
  ];

  test("names of layers, of networks and a rotary share give what ratios and counts give", () => {
    const newer = {
      ...without(older, "compress_ratios", "qk_rope_head_dim", "num_hash_layers"),
      layer_types,
      compress_rates: { compressed_sparse_attention: 4, heavily_compressed_attention: 128 },
      mlp_layer_types: ["hash_moe", "moe", "moe", "moe"],
      partial_rotary_factor: 0.25,
    };
    expect(shape(newer)).toEqual(shape(older));
    expect(shape(without(newer, "compress_rates"))).toEqual(shape(older));
  });

  test("keys that follow from others are checked", () => {
    expect(shape({ ...older, qk_nope_head_dim: 24, v_head_dim: null, kv_lora_rank: null, layer_types })).toEqual(
      shape(older),
    );
    expect(problemsOf({ ...older, qk_nope_head_dim: 25 })[0]).toMatch(/^qk_nope_head_dim: 24/);
    const contrary = { ...older, layer_types: [...layer_types.slice(0, 3), "sliding_attention"] };
    expect(problemsOf(contrary)[0]).toMatch(/^layer_types\[3\]: what compress_ratios says: 128/);
    expect(problemsOf({ ...older, layer_types: ["new", ...layer_types.slice(1)] })[0]).toMatch(/^layer_types\[0\]/);
  });
});

describe("layers with experts", () => {
  const config = { ...qwen3, model_type: "ernie4_5_moe" };

  test.each<readonly [string, Config, string]>([
    ["from a first layer", { moe_layer_start_index: 1 }, "dense moe moe moe"],
    ["up to a last one", { moe_layer_start_index: 1, moe_layer_end_index: 2 }, "dense moe moe dense"],
    ["to the end for -1", { moe_layer_start_index: 2, moe_layer_end_index: -1 }, "dense dense moe moe"],
    ["every second", { moe_layer_start_index: 0, moe_layer_interval: 2 }, "dense moe dense moe"],
    ["by text", { moe_layers_enum: "1,3" }, "dense moe dense moe"],
    ["by a list", { moe_layers_enum: [0, 1] }, "moe moe dense dense"],
    ["by bits", { moe_layer_layout: [1, 0, 0, 1] }, "moe dense dense moe"],
    ["by truth values", { is_moe_layer: [false, true, true, true] }, "dense moe moe moe"],
    ["after so many dense ones", { num_dense_layers: 2 }, "dense dense moe moe"],
  ])("%s", (_name, keys, expected) => {
    expect(kinds(resolve({ ...config, ...keys }))).toBe(expected);
  });

  test.each<readonly [string, Config]>([
    ["moe_layers_enum[1]", { moe_layers_enum: "1,x" }],
    ["moe_layers_enum[0]", { moe_layers_enum: "4" }],
    ["moe_layers_enum[0]", { moe_layers_enum: "" }],
    ["moe_layer_start_index", { moe_layer_start_index: [1, 1] }],
    ["is_moe_layer[1]", { is_moe_layer: [false, "yes", true, true] }],
    ["moe_layer_layout", { moe_layer_layout: [1, 0] }],
  ])("a wrong %s is refused", (key, keys) => {
    expect(problemsOf({ ...config, ...keys }).map((text) => text.split(":")[0])).toContain(key);
  });

  test("the default prefix of a class gives way to a list of names", () => {
    const laguna = { ...qwen3, model_type: "laguna" };
    expect(kinds(resolve(laguna))).toBe("dense moe moe moe");
    expect(kinds(resolve({ ...laguna, mlp_layer_types: Array<string>(4).fill("sparse") }))).toBe("moe moe moe moe");
  });
});

describe("windows", () => {
  const config = { ...qwen3, model_type: "exaone_moe", sliding_window: 128 };

  test.each<readonly [string, Config, readonly (number | null)[]]>([
    ["letters", { sliding_window_pattern: "LG" }, [128, null, 128, null]],
    ["a number", { sliding_window_pattern: 3 }, [128, 128, null, 128]],
    ["bits", { sliding_window_pattern: null, sliding_window_layout: [0, 1, 1, 0] }, [null, 128, 128, null]],
    ["the class", {}, [128, 128, 128, null]],
    ["every n layers", { model_type: "afmoe", global_attn_every_n_layers: 2 }, [128, null, 128, null]],
    [
      "names, which count before a pattern",
      {
        sliding_window_pattern: "LG",
        layer_types: ["full_attention", "sliding_attention", "full_attention", "full_attention"],
      },
      [null, 128, null, null],
    ],
    ["no window", { sliding_window: null }, [null, null, null, null]],
  ])("by %s", (_name, keys, expected) => {
    expect(windows(resolve({ ...config, ...keys }))).toEqual(expected);
  });

  test("a window that no layer is said to have is refused, not left out", () => {
    expect(problemsOf({ ...qwen3, model_type: "solar_open", sliding_window: 128 })[0]).toMatch(
      /^sliding_window: a key/,
    );
    expect(problemsOf({ ...config, sliding_window_pattern: "LXG" })[0]).toMatch(/^sliding_window_pattern/);
  });

  test("a chunk size must repeat the window where a class has no chunks", () => {
    const names = { layer_types: ["full_attention", ...Array<string>(3).fill("sliding_attention")] };
    expect(windows(resolve({ ...config, ...names, attention_chunk_size: 128 }))).toEqual([null, 128, 128, 128]);
    expect(problemsOf({ ...config, ...names, attention_chunk_size: 64 })[0]).toMatch(
      /^attention_chunk_size: the value/,
    );
    expect(problemsOf({ ...qwen3, attention_chunk_size: 64 })[0]).toMatch(/^attention_chunk_size: a key/);
  });
});

describe("heads", () => {
  const names = { layer_types: ["full_attention", "sliding_attention", "full_attention", "sliding_attention"] };
  const laguna = { ...qwen3, ...names, model_type: "laguna", sliding_window: 128, first_k_dense_replace: 0 };

  test("of queries may be listed by layer", () => {
    const listed = resolve({ ...laguna, num_attention_heads_per_layer: [4, 8, 4, 6] });
    expect(grouped(listed).map(({ queryHeads }) => queryHeads)).toEqual([4, 8, 4, 6]);
    expect(problemsOf({ ...laguna, num_attention_heads_per_layer: [4, 8] })[0]).toMatch(/_per_layer: 4 entries/);
    expect(problemsOf({ ...laguna, num_attention_heads_per_layer: [4, 8, 4, 0] })[0]).toMatch(/_per_layer\[3\]/);
  });

  test("of windowed layers may have an object of their own", () => {
    const attention_other_setting = {
      attention_type: "sliding_attention",
      num_attention_heads: 6,
      num_attention_groups: 3,
    };
    const step = { ...laguna, model_type: "step3p5", attention_other_setting };
    expect(grouped(resolve(step)).map(({ queryHeads, kvHeads }) => [queryHeads, kvHeads])).toEqual([
      [4, 2],
      [6, 3],
      [4, 2],
      [6, 3],
    ]);
    const more = { ...step, attention_other_setting: { ...attention_other_setting, window: 7 } };
    expect(problemsOf(more)[0]).toMatch(/^attention_other_setting\.window: a key/);
  });

  test("a gate per head is a column a head, one per channel a column a channel", () => {
    const total = (gating: Json): number => parametersOf(resolve({ ...laguna, gating })).total;
    const none = total(false);
    expect(total("per-head") - none).toBe(4 * 64 * 4);
    expect(total(true) - none).toBe(4 * 64 * 4);
    expect(total("per-element") - none).toBe(4 * 64 * 4 * 16);
    expect(problemsOf({ ...laguna, gating: "per-layer" })[0]).toMatch(/^gating: one of/);
  });

  test("queries projected in two steps hold both matrices and a norm between", () => {
    const plain = resolve({ ...qwen3, model_type: "step3", num_experts_per_tok: 2 });
    const stepped = resolve({ ...qwen3, model_type: "step3", share_q_dim: 24 });
    const change = parametersOf(stepped).total - parametersOf(plain).total;
    expect(change).toBe(4 * (24 * (64 + 4 * 16) + 24 - 64 * 4 * 16));
    const options = { contextTokens: 100, phase: "decode", logits: false } as const;
    expect(flopsPerToken(stepped, options).total - flopsPerToken(plain, options).total).toBe(2 * (change - 4 * 24));
  });
});

describe("block-sparse attention", () => {
  const sparse_attention_config = {
    use_sparse_attention: true,
    sparse_attention_freq: [0, 1, 1, 0],
    sparse_disable_index_value: [0, 1, 1, 0],
    sparse_block_size: 16,
    sparse_topk_blocks: 4,
    sparse_num_index_heads: 2,
    sparse_index_dim: 8,
    sparse_init_block: 0,
    sparse_local_block: 1,
    sparse_score_type: "max",
  };
  const config = { ...qwen3, sparse_attention_config };

  test("is that of the layers that are marked, with its index projections", () => {
    const spec = resolve(config);
    expect(grouped(spec).map(({ topTokens }) => topTokens ?? null)).toEqual([null, 64, 64, null]);
    expect(parametersOf(spec).total - parametersOf(resolve(qwen3)).total).toBe(2 * (64 * 3 * 8 + 16));
  });

  test("is that of all layers where none is marked, and of none where it is off", () => {
    const all = without(sparse_attention_config, "sparse_attention_freq", "sparse_disable_index_value");
    const tops = (part: Config): readonly (number | undefined)[] =>
      grouped(resolve({ ...qwen3, sparse_attention_config: part })).map(({ topTokens }) => topTokens);
    expect(tops(all)).toEqual([64, 64, 64, 64]);
    const off = { ...qwen3, sparse_attention_config: { ...all, use_sparse_attention: false } };
    expect(problemsOf(off)).toEqual([]);
    expect(grouped(resolve(off)).every(({ topTokens }) => topTokens === undefined)).toBe(true);
  });

  test("with index values is refused", () => {
    const part = { ...sparse_attention_config, sparse_disable_index_value: [0, 1, 0, 0] };
    expect(problemsOf({ ...qwen3, sparse_attention_config: part })[0]).toMatch(
      /^sparse_attention_config\.sparse_disable_index_value\[2\]/,
    );
  });
});

describe("other spellings", () => {
  const moe = (config: Config): Json => {
    const network = resolve(config).layers[0]?.feedForward;
    return JSON.parse(JSON.stringify(network)) as Json;
  };

  test("the method of selection in the place of the scores (dots1) is an assumption on both", () => {
    const config = { ...qwen3, model_type: "dots1", scoring_func: "noaux_tc" };
    expect(moe(config)).toMatchObject({ router: { scoring: "sigmoid", bias: true } });
    expect(noted(config)).toEqual(["sigmoid scores of the router, as scoring_func holds a selection method"]);
    expect(problemsOf({ ...config, scoring_func: "argmax" })[0]).toMatch(/^scoring_func: one of/);
  });

  test("DBRX keeps attention and experts in objects of their own", () => {
    const dbrx: Config = {
      model_type: "dbrx",
      d_model: 64,
      n_heads: 4,
      n_layers: 4,
      max_seq_len: 4096,
      vocab_size: 1000,
      attn_config: { kv_n_heads: 2, clip_qkv: 8, model_type: "" },
      ffn_config: { ffn_hidden_size: 32, moe_num_experts: 8, moe_top_k: 2, moe_jitter_eps: 0.1, model_type: "" },
      torch_dtype: "bfloat16",
      tie_word_embeddings: false,
    };
    const attention: Attention | undefined = resolve(dbrx).layers[0]?.attention;
    expect(attention).toEqual(resolve(mixtral).layers[0]?.attention);
    expect(moe(dbrx)).toEqual(moe(mixtral));
    expect(problemsOf({ ...dbrx, ffn_config: { ...(dbrx["ffn_config"] as Config), expert_bank: 2 } })[0]).toMatch(
      /^expert_bank/,
    );
  });

  test("a dense network beside the experts is as wide as the class says", () => {
    expect(moe({ ...mixtral, model_type: "arctic", parallel_attn_mlp_res: true })).toMatchObject({ denseWidth: 64 });
    expect(moe({ ...mixtral, model_type: "arctic", parallel_attn_mlp_res: false })).toMatchObject({ denseWidth: 0 });
    expect(moe({ ...qwen3, model_type: "grok_2", residual_moe: true })).toMatchObject({ denseWidth: 96 });
  });

  test("SmallThinker scores by sigmoid unless it is told otherwise", () => {
    const config = { ...without(qwen3, "moe_intermediate_size"), model_type: "smallthinker", moe_ffn_hidden_size: 32 };
    expect(moe({ ...config, moe_primary_router_apply_softmax: true })).toMatchObject({
      router: { scoring: "softmax" },
    });
    expect(moe({ ...config, moe_primary_router_apply_softmax: false })).toMatchObject({
      router: { scoring: "sigmoid" },
    });
  });

  test("numbers that a file lists by layer are one number where they are equal, and refused where they are not", () => {
    const config = { ...qwen3, num_experts_per_tok: [2, 2, 2, 2], num_shared_expert: [1, 1, 1, 1], n_group: false };
    expect(moe(config)).toEqual(moe({ ...qwen3, num_shared_experts: 1 }));
    expect(problemsOf({ ...config, num_experts_per_tok: [2, 2, 4, 2] })[0]).toMatch(/^num_experts_per_tok\[2\]/);
    expect(problemsOf({ ...config, num_experts_per_tok: [2, 2] })[0]).toMatch(/^num_experts_per_tok: 4 entries/);
  });
});
