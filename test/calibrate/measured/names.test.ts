import { describe, expect, test } from "vitest";
import { engineOf, modelOf, namesOf, systemOf, weightFormatOf } from "../../../src/calibrate/measured/names.ts";
import { engineIds } from "../../../src/engine/catalogue.ts";
import { systemIds } from "../../../src/hardware/named-profiles.ts";
import { catalogue } from "../../../src/models/catalogue.ts";
import { examplePoint } from "./example-point.ts";

describe("models", () => {
  test.each([
    ["deepseek-ai/DeepSeek-V3", "deepseek-v3"],
    ["deepseek-ai/DeepSeek-R1-0528", "deepseek-v3"],
    ["nvidia/DeepSeek-R1-NVFP4", "deepseek-v3"],
    ["nvidia/DeepSeek-V3.1-NVFP4", "deepseek-v3"],
    ["nvidia/DeepSeek-R1-0528-FP4-v2", "deepseek-v3"],
    ["moonshotai/Kimi-K2.5", "kimi-k2"],
    ["moonshotai/Kimi-K2-Thinking", "kimi-k2"],
    ["Qwen/Qwen3-235B-A22B-FP8", "qwen3-235b-a22b"],
    ["Qwen/Qwen3-30B-A3B-Instruct-2507", "qwen3-30b-a3b"],
    ["Qwen/Qwen3.5-397B-A17B", "qwen3.5-397b-a17b"],
    ["zhipuai/GLM-5", "glm-5"],
    ["MiniMaxAI/MiniMax-M2.5", "minimax-m2.5"],
    ["openai/gpt-oss-120b", "gpt-oss-120b"],
    ["/models/gpt-oss-20b/", "gpt-oss-20b"],
    ["mistralai/Mixtral-8x7B-Instruct-v0.1", "mixtral-8x7b"],
    ["RedHatAI/Llama-4-Scout-17B-16E-Instruct-FP8-dynamic", "llama-4-scout"],
  ])("%s is %s", (name, id) => {
    expect(modelOf(name)).toEqual({ id, problem: null });
  });

  test("ids and aliases of the catalogue are known, also below an organisation", () => {
    for (const { id, aliases } of Object.values(catalogue))
      for (const spelling of [id, ...aliases, ...aliases.map((name) => `org/${name}`)])
        expect(modelOf(spelling).id, spelling).toBe(id);
  });

  test("what shares a beginning but not the shape is not taken for a release", () => {
    for (const name of [
      "deepseek-ai/DeepSeek-V3.2",
      "deepseek-ai/DeepSeek-R1-Distill-Qwen-32B",
      "Qwen/Qwen3-32B",
      "moonshotai/Kimi-K3",
      "__proto__",
      "",
    ])
      expect(modelOf(name).id, name).toBeNull();
    expect(modelOf("Mixtral-8x7").problem).toMatchObject({
      at: "model",
      found: "Mixtral-8x7",
      hint: "did you mean mixtral-8x7b?",
    });
  });
});

describe("systems", () => {
  test.each([
    ["h100_sxm", "h100-sxm-8"],
    ["h200_sxm", "h200-sxm-8"],
    ["b200_sxm", "b200-sxm-8"],
    ["b300_sxm", "b300-sxm-8"],
    ["gb200", "gb200-nvl72"],
    ["a100_sxm", "a100-sxm-8"],
    ["l40s", "l40s-8"],
    ["rtx_pro_6000_server", "rtx-pro-6000-2"],
    ["H100", "h100-sxm-8"],
    ["h100_pcie", "h100-pcie-8"],
    ["gb300", "gb300-nvl72"],
    ["h20_sxm", "h20-8"],
    ["CloudMatrix384", "cloudmatrix-384"],
    ["dgx_spark", "dgx-spark"],
  ])("%s is %s", (name, id) => {
    expect(systemOf(name)).toEqual({ id, problem: null });
  });

  test("own ids are known, others are not", () => {
    for (const id of systemIds) expect(systemOf(id).id).toBe(id);
    expect(systemOf("bg300").problem).toMatchObject({ at: "system", hint: "did you mean gb300?" });
    for (const name of ["h300_pcie", "constructor", "toString"]) expect(systemOf(name).id).toBeNull();
  });
});

describe("engines and precisions", () => {
  test("are known by the spellings of other tools", () => {
    for (const name of ["trtllm", "TensorRT-LLM", "tensorrt_llm", "trt-llm"])
      expect(engineOf(name).id).toBe("tensorrt-llm");
    for (const id of engineIds) expect(engineOf(id).id).toBe(id);
    expect(engineOf("sglangg").problem?.hint).toBe("did you mean sglang?");
  });

  test.each([
    ["fp8", "deepseek-v3", "fp8_block"],
    ["fp4", "deepseek-v3", "nvfp4"],
    ["nvfp4", "deepseek-v3", "nvfp4"],
    ["fp4", "gpt-oss-120b", "mxfp4"],
    ["fp8", "gpt-oss-120b", "mxfp4"],
    ["int4", "kimi-k2", "int4_g32"],
    ["int4", "mixtral-8x7b", "int4"],
    ["bfloat16", "qwen3-30b-a3b", "bf16"],
    ["fp8_block", "qwen3-30b-a3b", "fp8_block"],
  ])("%s weights of %s are stored as %s", (precision, model, id) => {
    expect(weightFormatOf(precision, model)).toEqual({ id, problem: null });
  });

  test("an unknown precision is told", () => {
    expect(weightFormatOf("fp9", "deepseek-v3").problem).toMatchObject({ at: "precision", found: "fp9" });
  });
});

test("a point has all its names, or every unknown one with its line", () => {
  expect(namesOf(examplePoint).names).toEqual({
    model: "deepseek-v3",
    system: "h200-sxm-8",
    engine: "sglang",
    weights: "fp8_block",
  });
  const { problems } = namesOf({ ...examplePoint, system: "tpu", engine: "tgi", precision: "fp9" });
  expect(problems).toMatchObject(["system", "engine", "precision"].map((at) => ({ file: "points.csv", line: 2, at })));
  expect(namesOf({ ...examplePoint, model: "x/y", precision: "fp9" }).problems).toMatchObject([{ at: "model" }]);
});
