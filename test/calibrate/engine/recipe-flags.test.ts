import { expect, test } from "vitest";
import { engineNamed } from "../../../src/engine/catalogue.ts";
import { configOf, smallPoint } from "../simulated-points.ts";

const deepseek = { model: "deepseek-ai/DeepSeek-R1", precision: "fp4", tp: 8, etp: 8, devices: 8 };
const sglang = { ...deepseek, engine: "sglang", version: "0.5.9" };

test("recipes for Blackwell let SGLang look for requests every 10 or 30 steps; elsewhere it looks after each", () => {
  for (const [concurrency, interval] of [
    [4, 10],
    [15, 10],
    [16, 30],
    [256, 30],
  ] as const)
    expect(configOf(smallPoint({ ...sglang, system: "b200_sxm", concurrency })).scheduler.recvInterval).toBe(interval);
  const other = smallPoint({ ...sglang, precision: "fp8", system: "h200_sxm" });
  expect(configOf(other).scheduler.recvInterval).toBe(1);
  expect(engineNamed("sglang").defaults.recvInterval).toBe(1);
});

test("a model without a recipe has the engine's defaults", () => {
  const { scheduler, engine } = configOf(smallPoint({ system: "b200_sxm", promptTokens: 1024 }));
  expect(scheduler.maxBatchTokens).toBe(engine.defaults.maxBatchTokens);
  expect(scheduler.recvInterval).toBe(engine.defaults.recvInterval);
});

test("without chunked prefill the budget of a step holds the longest prompt beside the decodes", () => {
  const trtllm = { ...deepseek, engine: "trtllm", version: "1.2.0rc6.post2", system: "b200_sxm" };
  for (const [promptTokens, concurrency] of [
    [128, 4],
    [8192, 64],
    [16_384, 512],
  ] as const) {
    const { scheduler, engine } = configOf(smallPoint({ ...trtllm, promptTokens, concurrency }));
    expect(scheduler.maxBatchTokens).toBeGreaterThanOrEqual(promptTokens + concurrency);
    expect(scheduler.maxBatchTokens).toBeGreaterThanOrEqual(engine.defaults.maxBatchTokens);
  }
});
