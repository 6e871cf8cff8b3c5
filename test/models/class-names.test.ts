import { describe, expect, test } from "vitest";
import { resolveConfig } from "../../src/models/resolve.ts";
import { type Config, deepseek, mixtral, qwen3, without } from "./configs.ts";

const read = (config: Config) => resolveConfig(config, { file: "config.json" });
const named = (config: Config, architecture: string): Config => ({ ...config, architectures: [architecture] });

describe("the class in architectures", () => {
  test.each<[Config, string]>([
    [qwen3, "Qwen3MoeForCausalLM"],
    [mixtral, "MixtralForCausalLM"],
    [deepseek, "DeepseekV3ForCausalLM"],
    [{ ...deepseek, model_type: "deepseek_v32" }, "DeepseekV32ForCausalLM"],
    [{ ...mixtral, model_type: "phimoe" }, "PhiMoEForCausalLM"],
    [{ ...mixtral, model_type: "olmoe" }, "OlmoeModel"],
  ])("says the type where model_type does not: %#", (config, architecture) => {
    const { spec } = read(without(named(config, architecture), "model_type"));
    expect(spec).toMatchObject({ modelType: config["model_type"], layers: read(config).spec.layers });
  });

  test("of another kind than the type is an assumption, one of the same kind is none", () => {
    expect(read(named(qwen3, "MixtralForCausalLM")).assumptions.join("\n")).toMatch(
      /^read as qwen3_moe, though architectures names a class of mixtral/m,
    );
    for (const config of [
      named(qwen3, "Qwen3MoeForCausalLM"),
      named(qwen3, "AcmeForCausalLM"),
      named({ ...deepseek, model_type: "kimi_k2" }, "DeepseekV3ForCausalLM"),
      { ...named(qwen3, "Grok1ForCausalLM"), model_type: "grok_2" },
    ])
      expect(read(config).assumptions.join("\n")).not.toMatch(/architectures/);
  });
});
