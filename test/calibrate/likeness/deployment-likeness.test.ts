import { describe, expect, test } from "vitest";
import { deploymentLikeness } from "../../../src/calibrate/likeness/deployment-likeness.ts";
import { type StatedDeployment, unstated } from "../../../src/calibrate/measured/measured-benchmark.ts";
import { catalogue } from "../../../src/models/catalogue.ts";
import { resolveScenario } from "../../../src/resolve/resolve-scenario.ts";
import { parseScenario } from "../../../src/scenario/parse-scenario.ts";
import type { SimConfig } from "../../../src/sim/config.ts";
import { minimal } from "../../scenario/example.ts";

const noFiles = { readText: () => Promise.reject(new Error("no file was expected")) };
const configOf = async (text: string): Promise<SimConfig> =>
  (await resolveScenario(parseScenario(text, "test.yaml"), noFiles)).config;
const config = await configOf(minimal);
const likeness = (stated: Partial<StatedDeployment>, of = config) =>
  deploymentLikeness(of, { ...unstated.deployment, ...stated });
const placesOf = (stated: Partial<StatedDeployment>, of = config) =>
  likeness(stated, of).differences.map(({ at }) => at);

describe("the model", () => {
  test.each([
    "Qwen/Qwen3-30B-A3B",
    "/models/qwen3-30b-a3b/",
    "Qwen3-30B-A3B-Instruct-2507",
    "qwen3moe 30B.A3B Q4_K - Medium",
    "my-server",
    "gpt-4",
    "/root/.cache/huggingface/hub/models--Qwen--Qwen3-30B-A3B/snapshots/0123456789abcdef",
  ])("may be called %s", (model) => expect(placesOf({ model })).not.toContain("model"));

  test.each([
    "meta-llama/Llama-3.1-8B-Instruct",
    "deepseek-ai/DeepSeek-V3",
    "Qwen/Qwen3-235B-A22B",
    "gpt-oss-20b",
    "org/unknown-70b",
    "Qwen2.5-7B",
    "zai-org/GLM-4.7",
    "deepseek-ai/DeepSeek-V3.2",
    "/root/.cache/huggingface/hub/models--meta-llama--Llama-3.1-8B-Instruct/snapshots/0123456789abcdef",
  ])("is another one as %s", (model) => expect(placesOf({ model })).toEqual(["model"]));

  test("is told by its parameters", () => {
    expect(placesOf({ parameters: 30532122624 })).toEqual([]);
    expect(placesOf({ parameters: 8.03e9 })).toEqual(["model"]);
  });

  test("is an assumption where nothing tells it", () => {
    expect(likeness({}).assumptions).toEqual([
      expect.stringContaining("names no model: taken for one of qwen3-30b-a3b"),
    ]);
    expect(likeness({ model: "prod" }).assumptions).toEqual([expect.stringMatching(/"prod" is no model known here/)]);
    expect(likeness({ model: "x-30B-A3B" }).assumptions).toEqual([expect.stringContaining("whose size it names")]);
    expect(likeness({ model: "prod", parameters: 30.5e9 }).assumptions).toEqual([]);
  });

  test("of every entry of the catalogue is itself, by name, and no other", async () => {
    const entries = Object.values(catalogue);
    for (const { id, name } of entries.slice(0, 6)) {
      const own = await configOf(
        minimal
          .replace("qwen3-30b-a3b", id)
          .replace("h100-sxm-8", "b300-sxm-8\n  devicesPerNode: 8")
          .replace("engine: { id: vllm }", "engine: { id: vllm }\nparallel: { tp: 8 }"),
      ).catch(() => null);
      if (own === null) continue;
      expect(placesOf({ model: name }, own), name).not.toContain("model");
      const other = entries.find((entry) => entry.id !== id && !entry.aliases.includes(id));
      expect(placesOf({ model: other!.id }, own)).toContain("model");
    }
  });
});

test.each([
  [{ precision: "fp8" }, ["precision"]],
  [{ precision: "bf16" }, []],
  [{ model: "Qwen/Qwen3-30B-A3B-FP8" }, ["precision"]],
  [{ model: "Qwen/Qwen3-30B-A3B-GPTQ-Int4" }, ["precision"]],
  [{ model: "cpatonn/Qwen3-30B-A3B-AWQ-8bit" }, ["precision"]],
  [{ model: "lmstudio-community/Qwen3-30B-A3B-MLX-4bit" }, ["precision"]],
  [{ model: "qwen3moe 30B.A3B Q4_K - Medium" }, ["precision"]],
  [{ precision: "FP8_BLOCK_SCALES" }, ["precision"]],
  [{ precision: "W4A16_MXFP4" }, ["precision"]],
  [{ device: "h100" }, []],
  [{ device: "NVIDIA H100 80GB HBM3" }, []],
  [{ device: "NVIDIA GeForce RTX 5090" }, ["device"]],
  [{ device: "b200_sxm" }, ["device"]],
  [{ device: "NVIDIA B200" }, ["device"]],
  [{ device: "NVIDIA H100 PCIe" }, ["device"]],
  [{ device: "NVIDIA L4" }, ["device"]],
  [{ devices: 1 }, []],
  [{ devices: 8 }, ["devices"]],
  [{ engine: "vLLM" }, []],
  [{ engine: "trtllm" }, ["engine"]],
  [{ engine: "trt" }, ["engine"]],
  [{ engine: "dynamo-sglang" }, ["engine"]],
  [{ engine: "dynamo-vllm" }, []],
  [{ drafting: "none" }, []],
  [{ drafting: "mtp" }, ["drafting"]],
  [{ disaggregated: false }, []],
  [{ disaggregated: true }, ["pools"]],
] as const)("%j differs in %j", (stated, places) => expect(placesOf(stated)).toEqual(places));

test("names that are not known are assumptions", () => {
  const { assumptions } = likeness({
    model: "qwen3-30b-a3b",
    device: "accelerator x",
    engine: "house",
    precision: "w3",
  });
  expect(assumptions).toHaveLength(3);
});
