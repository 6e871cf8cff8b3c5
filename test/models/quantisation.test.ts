import { describe, expect, test } from "vitest";
import type { Json } from "../../src/core/json.ts";
import { weightBytes } from "../../src/models/bytes.ts";
import { resolveConfig } from "../../src/models/resolve.ts";
import type { ModelSpec } from "../../src/models/spec.ts";
import { type Config, deepseek, mixtral, qwen3, resolve } from "./configs.ts";

const formats = (quantization: Json, quantConfig?: Json): Readonly<Record<string, string>> =>
  resolve({ ...deepseek, quantization_config: quantization }, quantConfig).formats;
const assumptions = (config: Config): string => resolveConfig(config, { file: "config.json" }).assumptions.join("\n");
/** Activations of 4 or 8 bits, or none. */
const inputs = (bits: number, type: string): Json => ({ num_bits: bits, type, dynamic: true });
const group = (weights: Json, ignore: readonly string[] = [], activations: Json = null): Json => ({
  quant_method: "compressed-tensors",
  config_groups: { group_0: { targets: ["Linear"], weights, input_activations: activations } },
  ignore,
});
/** Bits per value of a class: those of the format, unless the model has its own. */
const bits = (spec: ModelSpec, name: "attention" | "experts" | "head"): number | undefined => spec.weightBits?.[name];

describe("formats of tensor classes", () => {
  test("plain weights all have the dtype of the file; engines load float32 as bf16, which is declared", () => {
    for (const [dtype, format] of [
      ["bfloat16", "bf16"],
      ["float16", "fp16"],
      ["torch.float32", "bf16"],
    ] as const)
      expect(new Set(Object.values(resolve({ ...mixtral, torch_dtype: dtype }).formats))).toEqual(new Set([format]));
    expect(assumptions({ ...mixtral, torch_dtype: "float32" })).toMatch(/float32 weights are loaded as bf16/);
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
    [{ num_bits: 4, type: "int", group_size: 128 }, null, "int4"],
    [{ num_bits: 4, type: "int", group_size: 32 }, null, "int4_g32"],
    [{ num_bits: 8, type: "int" }, null, "int8_a16"],
    [{ num_bits: 8, type: "int" }, inputs(8, "int"), "int8"],
    [{ num_bits: 4, type: "int" }, inputs(8, "int"), "int4_int8"],
    [{ num_bits: 4, type: "int", group_size: 128 }, inputs(8, "float"), "int4_fp8"],
    [{ num_bits: 8, type: "float", strategy: "channel" }, inputs(8, "float"), "fp8"],
    [{ num_bits: 8, type: "float", strategy: "channel" }, null, "fp8_a16"],
    [{ num_bits: 8, type: "float", strategy: "block" }, inputs(8, "float"), "fp8_block"],
    [{ num_bits: 8, type: "float", group_size: 32 }, inputs(8, "float"), "mxfp8"],
    [{ num_bits: 4, type: "float", group_size: 16 }, inputs(4, "float"), "nvfp4"],
    [{ num_bits: 4, type: "float", group_size: 16 }, null, "nvfp4_a16"],
    [{ num_bits: 4, type: "float", group_size: 32 }, inputs(8, "float"), "mxfp4"],
    [{ num_bits: 4, type: "float", group_size: 32 }, null, "mxfp4_a16"],
  ])("compressed tensors of %j with activations %j are %s", (weights, activations, format) => {
    expect(formats(group(weights, [], activations))["experts"]).toBe(format);
  });

  test("groups of any size have their scales counted, and a zero point where weights are not symmetric", () => {
    const of = (weights: Json) => bits(resolve({ ...qwen3, quantization_config: group(weights) }), "experts");
    expect(of({ num_bits: 4, type: "int", group_size: 64 })).toBe(4 + 16 / 64);
    expect(of({ num_bits: 4, type: "int", group_size: 64, symmetric: false })).toBe(4 + 20 / 64);
    expect(of({ num_bits: 8, type: "int", group_size: 32 })).toBe(8 + 16 / 32);
    expect(of({ num_bits: 4, type: "int", strategy: "channel" })).toBe(4);
  });

  test("groups of modules give each class the format of the group that names it", () => {
    const quantization = {
      quant_method: "compressed-tensors",
      ignore: ["lm_head"],
      config_groups: {
        group_0: {
          targets: ["re:.*self_attn.*"],
          weights: { num_bits: 8, type: "float", strategy: "block", block_structure: [128, 128] },
          input_activations: inputs(8, "float"),
        },
        group_1: {
          targets: ["re:.*mlp.experts.*"],
          weights: { num_bits: 4, type: "float", group_size: 16 },
          input_activations: inputs(4, "float"),
        },
      },
    };
    expect(formats(quantization)).toMatchObject({
      attention: "fp8_block",
      experts: "nvfp4",
      shared: "bf16",
      dense: "bf16",
      router: "bf16",
      head: "bf16",
    });
  });

  test("unknown methods, algorithms, blocks and bits are refused", () => {
    for (const quantization of [
      { quant_method: "bitnet" },
      { quant_algo: "FP3" },
      { quant_method: "fp8", weight_block_size: [64, 64] },
      { quant_method: "gptq", bits: 5 },
      { quant_method: "awq", bits: 3 },
      group({ num_bits: 7, type: "int" }),
      group({ num_bits: 4, type: "float", group_size: 64 }),
      group({ num_bits: 4, type: "int" }, [], inputs(2, "int")),
    ])
      expect(() => formats(quantization)).toThrow(/quantization_config\./);
  });
});

describe("excluded modules", () => {
  const int8 = { num_bits: 8, type: "int" };
  const exclude = (...ignore: readonly string[]): Readonly<Record<string, string>> =>
    formats(group(int8, ignore, inputs(8, "int")));
  const model = (ignore: readonly string[]): Config => ({
    ...deepseek,
    quantization_config: group(int8, ignore, inputs(8, "int")),
  });

  test("a pattern over all layers excludes its class", () => {
    expect(exclude("re:.*self_attn.*")).toMatchObject({ attention: "bf16", dense: "int8", shared: "int8" });
    expect(exclude("re:.*shared_experts.*")).toMatchObject({ shared: "bf16", experts: "int8" });
    expect(exclude("re:.*mlp\\.(gate|up|gate_up|down)_proj.*")).toMatchObject({ dense: "bf16", experts: "int8" });
    expect(exclude("*self_attn*", "lm_head")).toMatchObject({ attention: "bf16", head: "bf16", experts: "int8" });
    expect(exclude("self_attn")).toMatchObject({ attention: "bf16", experts: "int8" });
    expect(exclude()).toMatchObject({ head: "int8", router: "bf16" });
  });

  test("routers, norms, indexers and vision towers exclude nothing else, and are nothing to speak of", () => {
    const list = ["model.layers.0.mlp.gate", "lm_head", "model.layers.1.post_attention_layernorm", "vision_tower*"];
    const all = [...list, "model.layers.0.self_attn.indexer*"];
    expect(exclude(...all)).toMatchObject({ attention: "int8", dense: "int8", shared: "int8", experts: "int8" });
    expect(assumptions(model(all))).toBe("");
  });

  test("a name that means nothing known stands in the assumptions", () => {
    expect(assumptions(model(["model.layers.0.fancy_proj"]))).toMatch(/names that moecast does not know.*fancy_proj/);
  });

  test("a list of more modules than a call takes arguments is read to its end", () => {
    const beside = Array.from({ length: 140_000 }, (_, i) => `vision_tower.${i}`);
    expect(resolve(model([...beside, "re:.*self_attn.*"])).formats.attention).toBe("bf16");
  });

  test("a class in several formats has the bytes of all its modules, and says so", () => {
    // One of four layers stays in 16 bits.
    const spec = resolve(model(["model.layers.0.self_attn*"]));
    expect(bits(spec, "attention")).toBe((16 + 3 * 8) / 4);
    expect(assumptions(model(["model.layers.0.self_attn*"]))).toMatch(/attention .*75 % int8 .*25 % bf16/);
    // Bytes decide which format stands for the class: half of the layers in 16 bits are two thirds of them.
    expect(exclude("model.layers.0.self_attn*", "model.layers.2.self_attn*")["attention"]).toBe("bf16");
    // A layer's number ends before the wildcard: layer 1 is not layers 10 to 19.
    const many = { ...model(["model.layers.1*"]), num_hidden_layers: 20 };
    expect(bits(resolve(many), "attention")).toBe((16 + 19 * 8) / 20);
  });

  test("single experts and projections are told apart", () => {
    const oneExpert = resolve(model(["re:.*experts\\.3\\..*"]));
    expect(bits(oneExpert, "experts")).toBe((16 + 7 * 8) / 8);
    const down = resolve(model(["re:.*mlp.experts.*down_proj$"]));
    expect(bits(down, "experts")).toBeCloseTo((16 + 2 * 8) / 3, 12);
  });

  test("a whole layer excludes what it holds: the dense prefix here", () => {
    expect(exclude("model.layers.0*")).toMatchObject({ dense: "bf16", experts: "int8" });
  });
});

describe("hf_quant_config.json", () => {
  const quantConfig = (quantization: Json): Json => ({ producer: { name: "modelopt" }, quantization });

  test("goes before the config and sets the format of the cache", () => {
    const spec = resolve(
      qwen3,
      quantConfig({ quant_algo: "NVFP4", kv_cache_quant_algo: "FP8", exclude_modules: ["*attn*"] }),
    );
    expect(spec).toMatchObject({ kvFormat: "fp8", formats: { experts: "nvfp4", attention: "bf16", head: "bf16" } });
    expect(resolve(qwen3, quantConfig({ quant_algo: "W4A16_NVFP4" })).formats.experts).toBe("nvfp4_a16");
  });

  test("mixed precision gives each module its algorithm", () => {
    const layers = {
      "model.layers.1.mlp.experts": { quant_algo: "NVFP4" },
      "model.layers.2.mlp.experts": { quant_algo: "NVFP4" },
      "model.layers.3.mlp.experts": { quant_algo: "FP8" },
      "model.layers.1.self_attn": { quant_algo: "FP8" },
      lm_head: { quant_algo: "FP8" },
    };
    const spec = resolve(deepseek, quantConfig({ quant_algo: "MIXED_PRECISION", quantized_layers: layers }));
    expect(spec.formats).toMatchObject({ experts: "nvfp4", attention: "bf16", head: "fp8", shared: "bf16" });
    expect(bits(spec, "experts")).toBeCloseTo((4.5 + 4.5 + 8) / 3, 12);
    expect(bits(spec, "attention")).toBe((3 * 16 + 8) / 4);
  });

  test("a cache scheme of compressed tensors is read, and an unknown one refused", () => {
    const scheme = { quant_algo: "FP8", kv_cache_scheme: { num_bits: 8, type: "float" } };
    expect(resolve({ ...qwen3, quantization_config: scheme }).kvFormat).toBe("fp8");
    expect(() => resolve(qwen3, quantConfig({ quant_algo: "FP8", kv_cache_quant_algo: "INT2" }))).toThrow(/INT2/);
  });

  test("a file without a quantisation, or with an unknown key, is refused", () => {
    expect(() => resolve(qwen3, { producer: {} })).toThrow(/hf_quant_config\.quantization/);
    expect(() => resolve(qwen3, quantConfig({ quant_algo: "FP8", weight_bits: 3 }))).toThrow(/weight_bits/);
  });

  test("experts that ModelOpt stored anew leave the rest of an fp8 release as it was", () => {
    const spec = resolve({
      ...deepseek,
      quantization_config: {
        quant_method: "fp8",
        weight_block_size: [128, 128],
        quant_algo: "MIXED_PRECISION",
        moe_quant_algo: "NVFP4",
        ignore: ["*.self_attn.*"],
        quantized_layers: Object.fromEntries(
          [1, 2, 3].map((layer) => [`model.layers.${layer}.mlp.experts`, { quant_algo: "NVFP4", group_size: 16 }]),
        ),
      },
    });
    expect(spec.formats).toMatchObject({ experts: "nvfp4", attention: "fp8_block", shared: "fp8_block" });
  });
});

test("bytes of a model follow the bits of its own layout", () => {
  const quantization_config = group({ num_bits: 4, type: "int", group_size: 64, symmetric: false }, ["lm_head"]);
  const spec = resolve({ ...qwen3, quantization_config });
  const values = 4 * 8 * 3 * 64 * 32;
  expect(weightBytes(spec).experts).toBe((values * (4 + 20 / 64)) / 8);
});
