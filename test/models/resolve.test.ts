import { describe, expect, test } from "vitest";
import { aliases } from "../../src/models/aliases.ts";
import { parseConfigText } from "../../src/models/config-text.ts";
import { families } from "../../src/models/families.ts";
import { resolveConfig } from "../../src/models/resolve.ts";
import type { MoeFeedForward } from "../../src/models/spec.ts";
import { type Config, deepseek, mixtral, qwen3, resolve, small, without } from "./configs.ts";
import { configOf } from "./family-configs.ts";

function firstMoe(config: Config): MoeFeedForward {
  const moe = resolve(config)
    .layers.map(({ feedForward }) => feedForward)
    .find(({ kind }) => kind === "moe");
  if (moe?.kind !== "moe") throw new Error("no MoE layer");
  return moe;
}

describe("names", () => {
  test.each(aliases.experts)("the number of experts may be called %s", (key) => {
    expect(firstMoe({ ...without(mixtral, "num_local_experts"), [key]: 8 }).experts).toBe(8);
  });

  test.each(aliases.topK)("the experts per token may be called %s", (key) => {
    expect(firstMoe({ ...without(mixtral, "num_experts_per_tok"), [key]: 3 }).topK).toBe(3);
  });

  test("a bare top_k is a sampling parameter and never the experts per token", () => {
    expect(firstMoe({ ...mixtral, top_k: 7 }).topK).toBe(2);
    expect(() => resolve({ ...without(mixtral, "num_experts_per_tok"), top_k: 7 })).toThrow(/num_experts_per_tok/);
  });

  test("synonyms that agree are one number, synonyms that differ are refused", () => {
    expect(firstMoe({ ...mixtral, experts_per_token: 2 }).topK).toBe(2);
    expect(() => resolve({ ...mixtral, experts_per_token: 4 })).toThrow(/experts_per_token: expected the value of/);
  });

  test("experts have moe_intermediate_size where the family has it, and intermediate_size where it does not", () => {
    expect(firstMoe(qwen3).expertWidth).toBe(32);
    expect(firstMoe(mixtral).expertWidth).toBe(32);
    expect(() => resolve(without(qwen3, "moe_intermediate_size"))).toThrow(/moe_intermediate_size/);
  });

  test("a head dimension that is not given is hidden size over heads", () => {
    expect(resolve(mixtral).layers[0]?.attention).toMatchObject({ kind: "gqa", headDim: 16 });
    expect(resolve({ ...mixtral, head_dim: 24 }).layers[0]?.attention).toMatchObject({ headDim: 24 });
  });
});

describe("families", () => {
  test.each(Object.entries(families))("%s resolves", (modelType, family) => {
    const spec = resolve(configOf(modelType, family));
    expect(spec.modelType).toBe(modelType);
    expect(spec.layers.length).toBe(family.pairedLayers ? 8 : 4);
    expect(spec.layers.filter(({ feedForward }) => feedForward.kind === "moe").length).toBeGreaterThan(0);
  });
});

describe("nesting", () => {
  test.each(["text_config", "llm_config", "language_config"])("a language model inside %s is found", (key) => {
    const spec = resolve({ model_type: "wrapper", vision_config: { hidden_size: 9 }, [key]: qwen3 });
    expect({ ...spec, provenance: {} }).toEqual({ ...resolve(qwen3), provenance: {} });
    expect(spec.provenance["hiddenSize"]).toEqual({ key: `${key}.hidden_size`, value: 64 });
  });

  test("two levels are entered, the suffix _text is dropped, and outer dtype and tying count", () => {
    const inner = { ...without(qwen3, "torch_dtype", "tie_word_embeddings"), model_type: "qwen3_moe_text" };
    const spec = resolve({
      thinker_config: { text_config: inner },
      tie_word_embeddings: true,
      dtype: "float16",
    });
    expect(spec).toMatchObject({ modelType: "qwen3_moe", tiedEmbeddings: true, kvFormat: "fp16" });
  });

  test("a file that names only its class is known by the class", () => {
    const config = { ...without(mixtral, "model_type", "tie_word_embeddings"), architectures: ["MiniCPMForCausalLM"] };
    expect(resolve(config)).toMatchObject({ modelType: "minicpm", tiedEmbeddings: true });
  });
});

describe("experts", () => {
  test("shared experts are counted in widths of one routed expert, or have the width given", () => {
    expect(firstMoe({ ...deepseek, n_shared_experts: 2 }).sharedWidth).toBe(64);
    expect(firstMoe({ ...deepseek, moe_shared_expert_intermediate_size: 48, n_shared_experts: 2 }).sharedWidth).toBe(
      96,
    );
    expect(firstMoe({ ...qwen3, model_type: "qwen2_moe", shared_expert_intermediate_size: 40 })).toMatchObject({
      sharedWidth: 40,
      sharedGate: true,
    });
    expect(firstMoe(mixtral).sharedWidth).toBe(0);
  });

  test("Llama 4 has one shared expert that no key mentions, and a dense width of its own", () => {
    const llama4: Config = {
      ...mixtral,
      model_type: "llama4",
      num_experts_per_tok: 1,
      intermediate_size_mlp: 80,
      interleave_moe_layer_step: 2,
      attention_chunk_size: 128,
    };
    const spec = resolve(llama4);
    expect(spec.layers.map(({ feedForward }) => feedForward.kind)).toEqual(["dense", "moe", "dense", "moe"]);
    expect(spec.layers[0]?.feedForward).toMatchObject({ width: 80 });
    expect(spec.layers[1]?.feedForward).toMatchObject({ sharedWidth: 32, router: { scoring: "sigmoid" } });
    expect(spec.layers.map(({ attention }) => "windowTokens" in attention && attention.windowTokens)).toEqual([
      128,
      128,
      128,
      null,
    ]);
  });

  test("Nemotron-H: one sublayer a block, two matrices, experts in a latent space", () => {
    const spec = resolve({
      ...without(small, "num_hidden_layers"),
      model_type: "nemotron_h",
      hybrid_override_pattern: "ME*-",
      mamba_num_heads: 4,
      mamba_head_dim: 8,
      n_groups: 2,
      ssm_state_size: 16,
      conv_kernel: 4,
      intermediate_size: 40,
      n_routed_experts: 8,
      num_experts_per_tok: 2,
      moe_intermediate_size: 24,
      moe_latent_size: 16,
      n_shared_experts: 1,
      moe_shared_expert_intermediate_size: 48,
    });
    expect(spec.layers.map(({ attention, feedForward }) => `${attention.kind} ${feedForward.kind}`)).toEqual([
      "linear none",
      "none moe",
      "gqa none",
      "none dense",
    ]);
    expect(spec.layers[1]?.feedForward).toMatchObject({
      matrices: 2,
      expertHidden: 16,
      expertWidth: 24,
      sharedWidth: 48,
    });
    // One norm vector of the hidden size before each block.
    expect(spec.layers.map(({ normParameters }) => normParameters)).toEqual([64, 64, 64, 64]);
  });

  test("Gemma 4: dense network beside the experts, global layers of another shape whose keys are values", () => {
    const spec = resolve({
      ...small,
      model_type: "gemma4",
      head_dim: 16,
      global_head_dim: 32,
      num_global_key_value_heads: 1,
      attention_k_eq_v: true,
      layer_types: ["sliding_attention", "sliding_attention", "sliding_attention", "full_attention"],
      sliding_window: 256,
      enable_moe_block: true,
      intermediate_size: 96,
      num_experts: 8,
      top_k_experts: 2,
      moe_intermediate_size: 32,
    });
    expect(spec.layers[0]?.attention).toMatchObject({ headDim: 16, kvHeads: 2, windowTokens: 256 });
    expect(spec.layers[3]?.attention).toMatchObject({ headDim: 32, kvHeads: 1, keyIsValue: true, windowTokens: null });
    expect(spec.layers[3]?.feedForward).toMatchObject({ kind: "moe", denseWidth: 96 });
  });

  test("experts split from a dense network have their listed equal sizes", () => {
    const config = {
      ...mixtral,
      model_type: "llama_moe",
      size_experts: Array(4).fill(Array(8).fill(12)) as number[][],
    };
    expect(firstMoe(config).expertWidth).toBe(12);
    const uneven = [[12, 13, 12, 12, 12, 12, 12, 12], ...(Array(3).fill(Array(8).fill(12)) as number[][])];
    expect(() => resolve({ ...config, size_experts: uneven })).toThrow(/size_experts/);
  });
});

describe("routing", () => {
  test("groups, scoring, normalisation and selection bias are read", () => {
    expect(firstMoe(deepseek).router).toEqual({
      scoring: "sigmoid",
      normalisesTopK: true,
      groups: { count: 4, kept: 2 },
      bias: true,
    });
    expect(firstMoe({ ...deepseek, n_group: 1, topk_group: 1, topk_method: "greedy" }).router).toMatchObject({
      groups: null,
      bias: false,
    });
  });

  test("Pangu Pro MoE chooses the same number in each group", () => {
    const pangu = { ...qwen3, model_type: "pangu_pro_moe", n_group: 2, topk_group: 2, num_experts_per_tok: 4 };
    expect(firstMoe(pangu).router.groups).toEqual({ count: 2, kept: 2, topKPerGroup: 2 });
  });

  test("the first layers of DeepSeek-V4 route by hash", () => {
    const spec = resolve({
      ...without(small, "num_key_value_heads"),
      model_type: "deepseek_v4",
      num_key_value_heads: 1,
      head_dim: 32,
      qk_rope_head_dim: 8,
      q_lora_rank: 24,
      o_groups: 2,
      o_lora_rank: 12,
      sliding_window: 16,
      compress_ratios: [0, 128, 4, 128, 0],
      index_n_heads: 2,
      index_head_dim: 8,
      index_topk: 64,
      num_hash_layers: 1,
      n_routed_experts: 8,
      num_experts_per_tok: 2,
      moe_intermediate_size: 32,
      n_shared_experts: 1,
      scoring_func: "sqrtsoftplus",
      num_nextn_predict_layers: 1,
      expert_dtype: "fp4",
    });
    const scorings = spec.layers.map(({ feedForward }) => feedForward.kind === "moe" && feedForward.router.scoring);
    expect(scorings).toEqual(["hash", "sqrtsoftplus", "sqrtsoftplus", "sqrtsoftplus"]);
    expect(spec.formats.experts).toBe("mxfp4");
    expect(spec.layers.map(({ attention }) => attention.kind === "mla" && attention.compressed?.ratio)).toEqual([
      0, 128, 4, 128,
    ]);
    expect(spec.layers.map(({ attention }) => attention.kind === "mla" && attention.indexer !== null)).toEqual([
      false,
      false,
      true,
      false,
    ]);
  });
});

describe("latent attention", () => {
  test("ranks and head dimensions are read, and a null query rank means a direct projection", () => {
    expect(resolve(deepseek).layers[0]?.attention).toMatchObject({
      kind: "mla",
      queryLoraRank: 24,
      kvLoraRank: 20,
      nopeHeadDim: 8,
      ropeHeadDim: 4,
      valueHeadDim: 6,
      indexer: null,
    });
    expect(resolve({ ...deepseek, q_lora_rank: null }).layers[0]?.attention).toMatchObject({ queryLoraRank: null });
  });

  test("an indexer is read whole, and layers that share another's selection are marked", () => {
    const sparse = { ...deepseek, model_type: "glm_moe_dsa", index_n_heads: 2, index_head_dim: 8, index_topk: 64 };
    const indexer = { heads: 2, headDim: 8, topTokens: 64 };
    expect(resolve(sparse).layers[0]?.attention).toMatchObject({ indexer });
    const shared = resolve({ ...sparse, indexer_types: ["full", "shared", "shared", "full"] });
    expect(shared.layers.map(({ attention }) => "indexerShared" in attention)).toEqual([false, true, true, false]);
    expect(() => resolve(without(sparse, "index_topk"))).toThrow(/index_topk/);
  });
});

describe("what is reported", () => {
  test("every number has the key it came from, also where a rule gave it", () => {
    const { provenance } = resolve(mixtral);
    expect(provenance["layers[].feedForward.experts"]).toEqual({ key: "num_local_experts", value: 8 });
    expect(provenance["layers[].feedForward.topK"]).toEqual({ key: "num_experts_per_tok", value: 2 });
    expect(provenance["layers[].attention.headDim"]).toEqual({ key: "hidden_size / num_attention_heads", value: 16 });
    expect(provenance["layers[].feedForward.router.scoring"]).toEqual({ key: "model class", value: "softmax" });
    expect(provenance["formats.experts"]).toEqual({ key: "dtype", value: "bf16" });
  });

  test("keys that were not read are listed, those that were are not", () => {
    const { ignored } = resolveConfig({ ...mixtral, rope_theta: 1e6, hidden_act: "silu" }, { file: "config.json" });
    expect(ignored).toEqual(["hidden_act", "rope_theta"]);
  });

  test("the spec has the id that was asked for, else the model type", () => {
    expect(resolveConfig(mixtral, { file: "config.json", id: "mine" }).spec.id).toBe("mine");
    expect(resolve(mixtral).id).toBe("mixtral");
  });

  test("what the file does not say is listed as an assumption", () => {
    const { assumptions } = resolveConfig(without(mixtral, "torch_dtype"), { file: "config.json" });
    expect(assumptions).toEqual(["bf16 weights, as no dtype is given"]);
  });

  test("Python's Infinity and NaN harm nothing where no shape depends on them, and are refused where one does", () => {
    const text = JSON.stringify({ ...mixtral, limit: "x", note: "Infinity \\" }).replace('"x"', "[0.0, Infinity]");
    expect(resolve(parseConfigText(text, "config.json"))).toEqual(resolve({ ...mixtral, limit: 0, note: "" }));
    const broken = JSON.stringify(mixtral).replace('"num_local_experts":8', '"num_local_experts":NaN');
    expect(() => resolve(parseConfigText(broken, "config.json"))).toThrow(/num_local_experts: .*found "NaN"/);
  });

  test("texts of megabytes are read, whatever they hold, and words inside them stay", () => {
    const notes = ["x".repeat(10_000_000), '\n"'.repeat(1_000_000), "NaN, -Infinity", '\\"NaN'];
    const text = JSON.stringify({ notes, limits: "x" }).replace('"x"}', "[-Infinity,NaN,Infinity]}");
    expect(parseConfigText(text, "config.json")).toEqual({ notes, limits: ["-Infinity", "NaN", "Infinity"] });
  });
});
