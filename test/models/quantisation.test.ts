import { describe, expect, test } from "vitest";
import type { Json } from "../../src/core/json.ts";
import { resolveConfig } from "../../src/models/resolve.ts";
import { deepseek, mixtral, qwen3, resolve } from "./configs.ts";

const formats = (quantization: Json, quantConfig?: Json): Readonly<Record<string, string>> =>
  resolve({ ...deepseek, quantization_config: quantization }, quantConfig).formats;
const group = (weights: Json, ignore: readonly string[] = []): Json => ({
  quant_method: "compressed-tensors",
  config_groups: { group_0: { targets: ["Linear"], weights } },
  ignore,
});

describe("formats of tensor classes", () => {
  test("plain weights all have the dtype of the file", () => {
    for (const [dtype, format] of [
      ["bfloat16", "bf16"],
      ["float16", "fp16"],
      ["torch.float32", "fp32"],
    ] as const)
      expect(new Set(Object.values(resolve({ ...mixtral, torch_dtype: dtype }).formats))).toEqual(new Set([format]));
  });

  test("quantisation leaves embedding, head, router and norms in the dtype of the file", () => {
    expect(formats({ quant_method: "fp8", weight_block_size: [128, 128] })).toEqual({
      embedding: "bf16",
      attention: "fp8_block",
      dense: "fp8_block",
      router: "bf16",
      shared: "fp8_block",
      experts: "fp8_block",
      head: "bf16",
      norm: "bf16",
    });
    expect(formats({ quant_method: "fp8" })["experts"]).toBe("fp8");
  });

  test("mxfp4 quantises the routed experts only", () => {
    expect(formats({ quant_method: "mxfp4" })).toMatchObject({ experts: "mxfp4", attention: "bf16", shared: "bf16" });
  });

  test.each([
    [{ num_bits: 4, type: "int", group_size: 128 }, "int4"],
    [{ num_bits: 8, type: "int" }, "int8"],
    [{ num_bits: 8, type: "float", strategy: "channel" }, "fp8"],
    [{ num_bits: 8, type: "float", strategy: "block" }, "fp8_block"],
    [{ num_bits: 4, type: "float", group_size: 16 }, "nvfp4"],
    [{ num_bits: 4, type: "float", group_size: 32 }, "mxfp4"],
    [{ num_bits: 4, type: "int", group_size: 128 }, "int4"],
    [{ num_bits: 4, type: "int", group_size: 32 }, "int4_g32"],
  ])("compressed tensors of %j are %s", (weights, format) => {
    expect(formats(group(weights))["experts"]).toBe(format);
  });

  test("int4 in groups other than 32 and 128 is counted as 128 and says so", () => {
    const config = { ...deepseek, quantization_config: group({ num_bits: 4, type: "int", group_size: 64 }) };
    expect(resolveConfig(config, { file: "config.json" }).assumptions.join()).toMatch(/int4 scales .* groups 64/);
  });

  test("awq and gptq have their bits", () => {
    expect(formats({ quant_method: "awq", bits: 4 })["experts"]).toBe("int4");
    expect(formats({ quant_method: "gptq", bits: 8 })["experts"]).toBe("int8");
  });

  test("unknown methods, algorithms, blocks and bits are refused", () => {
    for (const quantization of [
      { quant_method: "bitnet" },
      { quant_algo: "FP3" },
      { quant_method: "fp8", weight_block_size: [64, 64] },
      { quant_method: "gptq", bits: 3 },
      group({ num_bits: 2, type: "int" }),
    ])
      expect(() => formats(quantization)).toThrow(/quantization_config\./);
  });
});

describe("excluded modules", () => {
  const exclude = (...ignore: readonly string[]): Readonly<Record<string, string>> =>
    formats(group({ num_bits: 8, type: "int" }, ignore));

  test("a pattern over all layers excludes its class", () => {
    expect(exclude("re:.*self_attn.*")).toMatchObject({ attention: "bf16", dense: "int8", shared: "int8" });
    expect(exclude("re:.*shared_experts.*")).toMatchObject({ shared: "bf16", experts: "int8" });
    expect(exclude("re:.*mlp\\.(gate|up|gate_up|down)_proj.*")).toMatchObject({ dense: "bf16", experts: "int8" });
  });

  test("routers, norms, indexers and vision towers exclude nothing else", () => {
    const list = ["model.layers.0.mlp.gate", "lm_head", "model.layers.1.post_attention_layernorm", "vision_tower*"];
    expect(exclude(...list, "model.layers.0.self_attn.indexer*")).toMatchObject({
      attention: "int8",
      dense: "int8",
      shared: "int8",
      experts: "int8",
    });
  });

  test("a list of more modules than a call takes arguments is read to its end", () => {
    const beside = Array.from({ length: 300_000 }, (_, i) => `vision_tower.${i}`);
    expect(formats(group({ num_bits: 8, type: "int" }, [...beside, "re:.*self_attn.*"]))["attention"]).toBe("bf16");
  });

  test("patterns by layer count by majority, and a mixture is declared", () => {
    expect(exclude("model.layers.0.self_attn*")["attention"]).toBe("int8");
    expect(exclude("model.layers.0.self_attn*", "model.layers.2.self_attn*")["attention"]).toBe("bf16");
    const config = {
      ...deepseek,
      quantization_config: group({ num_bits: 8, type: "int" }, ["model.layers.0.self_attn*"]),
    };
    expect(resolveConfig(config, { file: "config.json" }).assumptions.join()).toMatch(/attention .* some layers only/);
  });

  test("a whole layer excludes what it holds: the dense prefix here", () => {
    expect(exclude("model.layers.0*")).toMatchObject({ dense: "bf16", experts: "int8", attention: "int8" });
  });
});

describe("hf_quant_config.json", () => {
  const quantConfig = (quantization: Json): Json => ({ producer: { name: "modelopt" }, quantization });

  test("goes before the config and sets the format of the cache", () => {
    const spec = resolve(
      qwen3,
      quantConfig({ quant_algo: "NVFP4", kv_cache_quant_algo: "FP8", exclude_modules: ["*attn*"] }),
    );
    expect(spec).toMatchObject({ kvFormat: "fp8", formats: { experts: "nvfp4", head: "bf16" } });
  });

  test("mixed precision gives each class the algorithm of its modules", () => {
    const layers = {
      "model.layers.1.mlp.experts": { quant_algo: "NVFP4" },
      "model.layers.1.self_attn.q_proj": { quant_algo: "FP8" },
      lm_head: { quant_algo: "FP8" },
    };
    const spec = resolve(deepseek, quantConfig({ quant_algo: "MIXED_PRECISION", quantized_layers: layers }));
    expect(spec.formats).toMatchObject({ experts: "nvfp4", attention: "fp8", head: "fp8", shared: "bf16" });
    const unknown = { "model.layers.1.other": { quant_algo: "FP8" } };
    expect(() => resolve(deepseek, quantConfig({ quant_algo: "MIXED_PRECISION", quantized_layers: unknown }))).toThrow(
      /hf_quant_config\.quantization\.quantized_layers\.model\.layers\.1\.other/,
    );
  });

  test("a cache scheme of compressed tensors is read, and an unknown one refused", () => {
    const scheme = { quant_algo: "FP8", kv_cache_scheme: { num_bits: 8, type: "float" } };
    expect(resolve({ ...qwen3, quantization_config: scheme }).kvFormat).toBe("fp8");
    expect(() => resolve(qwen3, quantConfig({ quant_algo: "FP8", kv_cache_quant_algo: "INT2" }))).toThrow(/INT2/);
  });
});
