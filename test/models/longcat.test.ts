import { describe, expect, test } from "vitest";
import { parametersOf } from "../../src/models/parameters.ts";
import { resolveConfig } from "../../src/models/resolve.ts";
import { type Config, mixtral, resolve, without } from "./configs.ts";
import { longcat, longcatLite, minimax } from "./structure-configs.ts";

describe("experts that return their input", () => {
  const hidden = 64;
  const model: Config = { ...longcat, hidden_size: hidden, num_layers: 2, vocab_size: 1000 };

  test("none of them is the plain model, whatever type they would be", () => {
    const plain = resolve(without(model, "zero_expert_num", "zero_expert_type"));
    expect(resolve({ ...model, zero_expert_num: 0 }).layers).toEqual(plain.layers);
    expect(parametersOf(plain).activeRange).toBeUndefined();
  });

  test("have a column and a bias in the router and nothing else", () => {
    const plain = parametersOf(resolve(without(model, "zero_expert_num", "zero_expert_type")));
    const some = parametersOf(resolve({ ...model, zero_expert_num: 7 }));
    expect(some.total - plain.total).toBe(2 * 7 * (hidden + 1));
    expect(some.byClass.experts).toBe(plain.byClass.experts);
  });

  test("take their share of the choices of a token", () => {
    const active = (zero: number) => parametersOf(resolve({ ...model, zero_expert_num: zero })).activeByClass.experts;
    expect(active(512)).toBe(active(0) / 2);
    const { activeRange, active: mean } = parametersOf(resolve({ ...model, zero_expert_num: 4 }));
    expect(activeRange!.most).toBeGreaterThan(mean);
    expect(activeRange!.fewest).toBeLessThan(mean);
    expect((activeRange!.most - activeRange!.fewest) / (active(0) / 12)).toBeCloseTo(4, 9);
  });

  test("are unknown to other classes", () => {
    expect(() => resolve({ ...mixtral, zero_expert_num: 2 })).toThrow(/zero_expert_num: expected a key known for/);
  });

  test("of another type are refused", () => {
    expect(() => resolve({ ...model, zero_expert_type: "drop" })).toThrow(/zero_expert_type: expected identity/);
    expect(() => resolve(without(model, "zero_expert_type"))).toThrow(/zero_expert_type/);
  });

  test("num_hidden_layers may count layers or their halves, and nothing else", () => {
    const layers = (count: number) => resolve({ ...model, num_hidden_layers: count }).layers.length;
    expect([layers(2), layers(4)]).toEqual([4, 4]);
    expect(() => layers(3)).toThrow(/num_hidden_layers: expected num_layers 2/);
  });

  test("what the class cannot express is refused", () => {
    expect(() => resolve({ ...model, router_bias: true })).toThrow(/router_bias/);
    expect(() => resolve({ ...model, attention_method: "GQA" })).toThrow(/attention_method: expected MLA/);
    expect(() => resolve({ ...model, first_k_dense_replace: 1 })).toThrow(/first_k_dense_replace/);
    expect(() => resolve({ ...model, ngram_vocab_size_ratio: 78 })).toThrow(/n-grams/);
  });
});

test("what is not simulated or not said is an assumption", () => {
  const { assumptions } = resolveConfig(longcat, { file: "config.json" });
  expect(assumptions).toContainEqual(expect.stringContaining("second half"));
  expect(assumptions).toContainEqual(expect.stringContaining("take no time"));
  expect(resolveConfig(minimax, { file: "config.json" }).assumptions).toContainEqual(
    expect.stringContaining("bf16, as vLLM"),
  );
});

test("modules of a paired layer are named by the layer of the file, and by what the file leaves out", () => {
  const fp8: Config = { ...longcat, quantization_config: { quant_method: "fp8", weight_block_size: [128, 128] } };
  const formats = (config: Config) => resolve(config).formats;
  expect(formats(fp8)).toMatchObject({ attention: "fp8_block", dense: "fp8_block", experts: "fp8_block" });
  const without8 = formats({ ...fp8, disable_quant_module: ["self_attn", "mlps"] });
  expect(without8).toMatchObject({ attention: "bf16", dense: "bf16", experts: "fp8_block" });
  const strange = resolveConfig({ ...fp8, disable_quant_module: ["otherwise"] }, { file: "config.json" });
  expect(strange.assumptions.join()).toMatch(/names modules that the language model has not.*otherwise/);
  const modules = Array.from({ length: 28 }, (_, layer) =>
    ["gate_proj", "up_proj", "down_proj"].map((name) => `model.layers.${layer}.mlps.0.${name}`),
  ).flat();
  const listed = {
    ...fp8,
    quantization_config: { quant_method: "fp8", weight_block_size: [128, 128], modules_to_not_convert: modules },
  };
  expect(formats(listed)).toMatchObject({ attention: "fp8_block", dense: "bf16", experts: "fp8_block" });
  expect(resolveConfig(listed, { file: "config.json" }).assumptions.join()).not.toMatch(/some layers only/);
});

describe("embeddings of n-grams", () => {
  test("have four tables for two, three and four tokens each, of which a token reads a row and counts no more", () => {
    const { ngramEmbedding } = resolve(longcatLite);
    // Twelve tables of 78 vocabularies and 1, 3, ... 23 rows more, 3072 / 12 values each.
    expect(ngramEmbedding).toEqual({
      tableParameters: 256 * (12 * 78 * 131_072 + 12 * 12),
      rowParameters: 3072,
      projectionParameters: 3072 * 3072,
    });
    const { byClass, activeByClass } = parametersOf(resolve(longcatLite));
    expect(byClass.embedding - activeByClass.embedding).toBe(ngramEmbedding!.tableParameters - 3072);
  });

  test("are refused where their tables do not share the hidden size, or their keys are missing", () => {
    expect(() => resolve({ ...longcatLite, emb_split_num: 5 })).toThrow(/emb_split_num: expected tables that divide/);
    expect(() => resolve(without(longcatLite, "emb_neighbor_num"))).toThrow(/emb_neighbor_num/);
  });
});
