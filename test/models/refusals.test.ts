import { describe, expect, test } from "vitest";
import { InvalidInputError, type Problem } from "../../src/core/errors.ts";
import type { Json } from "../../src/core/json.ts";
import { parseConfigText } from "../../src/models/config-text.ts";
import { resolveConfig } from "../../src/models/resolve.ts";
import { resolveAnyValues } from "./any-values.ts";
import { type Config, deepseek, mixtral, qwen3, resolve, small, without } from "./configs.ts";

function problemsOf(config: Json): readonly Problem[] {
  try {
    resolve(config);
  } catch (error) {
    if (error instanceof InvalidInputError) return error.problems;
    throw error;
  }
  return [];
}

const at = (config: Json): readonly string[] => problemsOf(config).map((problem) => problem.at ?? "");

describe("missing and mistyped", () => {
  test("all problems are reported together, each with file, key, expectation and value", () => {
    const problems = problemsOf({ ...without(mixtral, "vocab_size"), hidden_size: "64", num_hidden_layers: -4 });
    expect(problems).toEqual([
      { file: "config.json", at: "hidden_size", expected: "a whole number from 1 to 1048576", found: "64" },
      { file: "config.json", at: "num_hidden_layers", expected: "a whole number from 1 to 4096", found: -4 },
      { file: "config.json", at: "vocab_size", expected: "a whole number" },
    ]);
  });

  test("a misspelt key is suggested", () => {
    const config = { ...without(mixtral, "hidden_size"), hiden_size: 64 };
    expect(problemsOf(config)[0]).toMatchObject({ at: "hidden_size", hint: "did you mean hiden_size?" });
  });

  test("a family of experts without their number is refused, not taken for a dense model", () => {
    expect(at(without(mixtral, "num_local_experts", "num_experts_per_tok"))).toContain("n_routed_experts");
    expect(at({ ...mixtral, num_local_experts: "8" })).toContain("num_local_experts");
  });

  test("the key inside a nested config is named with its path", () => {
    expect(at({ text_config: { ...qwen3, num_experts: 0 } })).toContain("text_config.num_experts");
  });

  test.each([[null], [[]], ["text"], [3]])("a file that holds %j is refused", (value) => {
    expect(() => resolve(value)).toThrow(InvalidInputError);
  });
});

describe("model types", () => {
  test("an unknown one is refused with the nearest known", () => {
    expect(problemsOf({ ...mixtral, model_type: "mixtrel" })[0]).toMatchObject({
      at: "model_type",
      found: "mixtrel",
      hint: "did you mean mixtral?",
    });
  });

  test.each(["toString", "constructor", "hasOwnProperty", ""])("%j is not a model type", (modelType) => {
    expect(at({ ...mixtral, model_type: modelType })).toEqual(["model_type"]);
  });

  test("an architecture that cannot be expressed is refused with the reason", () => {
    expect(problemsOf({ ...mixtral, model_type: "switch_transformers" })[0]?.hint).toMatch(/encoder-decoder/);
  });
});

describe("unknown fields", () => {
  test("one that looks like a shape is refused, with the nearest known", () => {
    const problem = problemsOf({ ...mixtral, n_shared_expert: 1 })[0];
    expect(problem).toMatchObject({ at: "n_shared_expert", found: 1, hint: "did you mean n_shared_experts?" });
    expect(at({ ...qwen3, attention_latent_width: 12 })).toEqual(["attention_latent_width"]);
  });

  test("one that is switched off, or cannot be a shape, is ignored", () => {
    const config = { ...mixtral, expert_bank: null, latent_heads: 0, moe_extra: false, rope_theta: 1, sampling: {} };
    expect(resolveConfig(config, { file: "config.json" }).ignored).toEqual([
      "expert_bank",
      "latent_heads",
      "moe_extra",
      "rope_theta",
      "sampling",
    ]);
  });

  test("one that looks like a shape and is known to change none is ignored", () => {
    const config = { ...mixtral, moe_router_dtype: "float32", router_aux_loss_coef: 0.001, expert_dropout: 0.1 };
    expect(resolveConfig(config, { file: "config.json" }).ignored).toEqual([
      "expert_dropout",
      "moe_router_dtype",
      "router_aux_loss_coef",
    ]);
  });

  test("features that no spec expresses are refused by name", () => {
    expect(at({ ...mixtral, mlp_bias: true })).toEqual(["mlp_bias"]);
    expect(at({ ...deepseek, attention_bias: true })).toEqual(["attention_bias"]);
  });
});

describe("contradictions", () => {
  const cases: readonly (readonly [string, Config, string])[] = [
    ["more experts per token than experts", { ...mixtral, num_experts_per_tok: 9 }, "num_experts_per_tok"],
    ["key-value heads that do not divide the heads", { ...mixtral, num_key_value_heads: 3 }, "num_key_value_heads"],
    ["heads that do not divide the hidden size", { ...mixtral, num_attention_heads: 6 }, "head_dim"],
    ["groups that do not divide the experts", { ...deepseek, n_group: 3, topk_group: 3 }, "n_group"],
    ["more kept groups than groups", { ...deepseek, topk_group: 5 }, "topk_group"],
    ["groups too small for the choice", { ...deepseek, topk_group: 1, num_experts_per_tok: 3 }, "topk_group"],
    ["a dense prefix longer than the model", { ...deepseek, first_k_dense_replace: 5 }, "first_k_dense_replace"],
    ["a layer list of another length", { ...qwen3, layer_types: ["full_attention"] }, "layer_types"],
    ["an unknown layer type", { ...qwen3, layer_types: Array(4).fill("new") as string[] }, "layer_types[0]"],
    ["a MoE list that contradicts the prefix", { ...deepseek, moe_layer_freq: [1, 1, 1, 1] }, "moe_layer_freq[0]"],
    ["a MoE list of other numbers", { ...deepseek, moe_layer_freq: [0, 2, 1, 1] }, "moe_layer_freq[1]"],
    ["a head of other parts", { ...deepseek, qk_head_dim: 13 }, "qk_head_dim"],
    [
      "linear layers without a mixer",
      { ...qwen3, layer_types: Array(4).fill("linear_attention") as string[] },
      "layer_types",
    ],
    [
      "a pattern of another length",
      { ...mixtral, model_type: "nemotron_h", hybrid_override_pattern: "**" },
      "num_hidden_layers",
    ],
  ];
  test.each(cases)("%s", (_name, config, key) => {
    expect(at(config)).toContain(key);
  });
});

describe("hostile values", () => {
  test.each(["__proto__", "constructor", "prototype"])("a key %s is refused", (key) => {
    const text = JSON.stringify(mixtral).replace("{", `{"${key}":{"num_experts":1},`);
    expect(() => resolve(parseConfigText(text, "config.json"))).toThrow(InvalidInputError);
  });

  test("numbers beyond any model are refused before anything is allocated", () => {
    for (const value of [1e9, 1e300, 2.5, -1, Number.MAX_SAFE_INTEGER]) {
      expect(at({ ...mixtral, num_hidden_layers: value })).toEqual(["num_hidden_layers"]);
      expect(at({ ...mixtral, num_local_experts: value })).toContain("num_local_experts");
    }
    expect(() => parseConfigText('{"num_hidden_layers":1e999}', "config.json")).toThrow(/finite number/);
    const pattern = { ...small, model_type: "nemotron_h", hybrid_override_pattern: "M".repeat(1e6) };
    expect(at(without(pattern, "num_hidden_layers"))).toEqual(["layers_block_type"]);
  });

  test("shapes whose product is no exact number are refused", () => {
    const huge = { ...mixtral, hidden_size: 1048576, intermediate_size: 16777216, num_local_experts: 65536 };
    expect(() => resolve(huge)).toThrow(/2\^53/);
  });

  test("control characters of a name do not reach the message", () => {
    const escapeCharacter = String.fromCharCode(27);
    const config = { ...mixtral, model_type: `${escapeCharacter}[31mred` };
    expect(() => resolve(config)).toThrow(
      expect.objectContaining({ message: expect.stringMatching(/^config\.json: model_type/) }),
    );
    expect(() => resolve(config)).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining(escapeCharacter) }),
    );
  });

  test("any value under any key of any family gives a spec of a safe size or an InvalidInputError, never another error", () => {
    resolveAnyValues(250);
  });
});
