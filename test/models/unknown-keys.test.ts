import { describe, expect, test } from "vitest";
import { families } from "../../src/models/families.ts";
import { keyKind } from "../../src/models/key-kinds.ts";
import { resolveConfig } from "../../src/models/resolve.ts";
import { type Config, mixtral, qwen3, without } from "./configs.ts";
import { configOf } from "./family-configs.ts";
import { looksLikeShape, verdict } from "./key-verdict.ts";

describe("a key that looks like a shape or like a pattern of attention and is not understood", () => {
  test.each(Object.entries(families))("is refused in every config of %s", (modelType, family) => {
    const config = configOf(modelType, family);
    const first = Object.keys(families).indexOf(modelType);
    // Another few keys for every family.
    for (let i = 0; i < 4; i++) {
      const key = looksLikeShape[(first * 4 + i) % looksLikeShape.length]!;
      expect(verdict({ ...config, [key]: i % 2 === 0 ? 3 : [1, 0, 1, 0] }, key), key).toBe("refused");
    }
  });

  test("is refused inside an object that describes a part of the model", () => {
    const sparse = { sparse_topk_blocks: 2, sparse_block_size: 16, sparse_stride: 4 };
    expect(verdict({ ...qwen3, sparse_attention_config: sparse }, "sparse_stride")).toBe("refused");
    const kimi = configOf("kimi_linear", families.kimi_linear);
    const linear = { ...(kimi["linear_attn_config"] as Config), forget: "slow" };
    expect(verdict({ ...kimi, linear_attn_config: linear }, "forget")).toBe("refused");
  });

  test("is an assumption where the object only holds the language model, unless the model has it too", () => {
    const wrapper = { model_type: "wrapper", text_config: qwen3 };
    expect(verdict({ ...wrapper, num_image_heads: 4 }, "num_image_heads")).toBe("assumed");
    expect(verdict({ ...wrapper, hidden_size: 64 }, "hidden_size")).toBe("read");
    expect(verdict({ ...wrapper, hidden_size: 65 }, "hidden_size")).toBe("assumed");
  });
});

describe("a key that looks like nothing known", () => {
  test.each(Object.entries(families))("is an assumption in every config of %s", (modelType, family) => {
    const config = configOf(modelType, family);
    for (const [key, value] of [
      ["quux", 3],
      ["use_new_attention", true],
      ["attention_kind", "novel"],
      ["router", { depth: 2 }],
    ] as const)
      expect(verdict({ ...config, [key]: value }, key)).toBe("assumed");
  });

  test("is ignored where it is switched off", () => {
    for (const value of [null, false, 0, -1, "", [], {}])
      expect(verdict({ ...mixtral, quux: value, expert_bank: value }, "quux")).toBe("ignored");
  });

  test("unknown keys are one assumption, in the order of their names", () => {
    const { assumptions } = resolveConfig({ ...mixtral, zebra: 1, aardvark: 2 }, { file: "config.json" });
    expect(assumptions).toEqual(["keys that are not known are taken to change no shape: aardvark, zebra"]);
  });
});

describe("parts beside the language model", () => {
  test("towers are not counted and said, at every depth and beside the model's own keys", () => {
    const config: Config = {
      model_type: "wrapper",
      talker_config: { hidden_size: 9 },
      thinker_config: { vision_config: { depth: 2 }, text_config: { ...qwen3, audio_config: { num_layers: 3 } } },
    };
    const { assumptions, ignored } = resolveConfig(config, { file: "config.json" });
    const parts = assumptions.filter((text) => text.startsWith("parts beside the language model are not counted"));
    for (const key of ["talker_config", "thinker_config.vision_config", "thinker_config.text_config.audio_config"])
      expect(parts.join()).toContain(key);
    expect(ignored).toEqual(["thinker_config.text_config.intermediate_size"]);
  });

  test("a quantisation is read wherever it stands around the language model, once or twice the same", () => {
    const quantization_config = { quant_method: "fp8" };
    const inner = { text_config: qwen3, quantization_config };
    const between = { model_type: "wrapper", thinker_config: inner };
    expect(verdict(between, "quantization_config")).toBe("read");
    expect(resolveConfig(between, { file: "config.json" }).spec.formats.experts).toBe("fp8");
    const other = { ...inner, text_config: { ...qwen3, quantization_config: { quant_method: "mxfp4" } } };
    expect(verdict({ model_type: "wrapper", thinker_config: other }, "quantization_config")).toBe("refused");
    const both = { model_type: "wrapper", quantization_config, text_config: { ...qwen3, quantization_config } };
    expect(verdict(both, "quantization_config")).toBe("read");
  });

  test("an empty tower is none", () => {
    expect(resolveConfig({ ...mixtral, vision_config: {} }, { file: "config.json" }).assumptions).toEqual([]);
  });
});

describe("files as their makers write them", () => {
  test("keys of training, clamps and kernels are neither refused nor assumed", () => {
    const noise: Config = {
      moe_z_loss_coeff: 0.1,
      moe_router_logit_softcapping: 30,
      moe_router_enable_shared_expert: true,
      moe_token_dropping: true,
      mamba_inner_layernorms: true,
      mtp_loss_scaling_factor: 0.1,
      no_rope_layers: [1, 1, 1, 0],
      num_beams: 1,
      shared_expert_combination_strategy: "sum",
      swiglu_limits_shared: [7, 7, 7, 7],
      use_grouped_mm: true,
      layer_norm_eps: 1e-6,
    };
    expect(resolveConfig({ ...qwen3, ...noise }, { file: "config.json" }).assumptions).toEqual([]);
  });

  test("a window that a switch turns off is none, in a class that has none too", () => {
    const off = { sliding_window: 4096, use_sliding_window: false, max_window_layers: 4 };
    for (const model_type of ["qwen3_moe", "bailing_moe"])
      expect(resolveConfig({ ...qwen3, ...off, model_type }, { file: "config.json" }).assumptions).toEqual([]);
  });
});

describe("names", () => {
  test.each([
    ["rms_norm_eps", "harmless"],
    ["image_token_id", "harmless"],
    ["router_aux_loss_coef", "harmless"],
    ["num_nextn_predict_layers", "harmless"],
    ["vision_config", "part"],
    ["moe_config", "shape"],
    ["attention_config", "unknown"],
    ["num_kv_shared_layers", "shape"],
    ["use_cla", "shape"],
    ["swa_rope_theta", "harmless"],
    ["no_rope_layers", "harmless"],
    ["qk_rope_dim", "shape"],
    ["qk_nope_head_dim", "shape"],
    ["gating_types", "shape"],
    ["swa_attention_sink_enabled", "shape"],
    ["enable_lm_head_fp32", "harmless"],
    ["head_ids", "unknown"],
    ["sink_tokens", "shape"],
    ["context_tokens", "unknown"],
    ["multi_scale_attention", "unknown"],
    ["property", "unknown"],
  ])("%s is %s", (key, kind) => {
    expect(keyKind(key)).toBe(kind);
  });
});

describe("a longest context", () => {
  const bare = without(mixtral, "max_position_embeddings");

  test.each([
    "max_position_embeddings",
    "max_position_embedding",
    "n_positions",
    "n_ctx",
    "max_seq_len",
    "max_sequence_length",
    "seq_length",
    "model_max_length",
  ])("may be called %s", (key) => {
    const { spec, assumptions } = resolveConfig({ ...bare, [key]: 2048 }, { file: "config.json" });
    expect(spec.contextTokensMax).toBe(2048);
    expect(assumptions).toEqual([]);
  });

  test("is the model's own where a file also gives that of a tokeniser", () => {
    const config = { ...mixtral, model_max_length: 1_000_000, max_seq_len: 512 };
    const { spec, assumptions } = resolveConfig(config, { file: "config.json" });
    expect(spec.contextTokensMax).toBe(4096);
    expect(assumptions).toEqual([]);
  });

  test("that is missing is an assumption, one that is no number is refused", () => {
    const { spec, assumptions } = resolveConfig(bare, { file: "config.json" });
    expect(spec.contextTokensMax).toBe(131072);
    expect(assumptions).toEqual(["a longest context of 131072 tokens, as no key gives one: set engine.maxModelLen"]);
    expect(verdict({ ...bare, n_ctx: "long" }, "n_ctx")).toBe("refused");
  });
});
