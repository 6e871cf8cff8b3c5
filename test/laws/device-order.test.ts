import { describe, expect, test } from "vitest";
import { deviceNamed } from "../../src/hardware/named-profiles.ts";
import { modelNamed } from "../../src/models/catalogue.ts";
import { dominates, figureRatios, loads, orderTolerance, prompt, stepNs } from "./device-order.ts";

const model = modelNamed("gpt-oss-20b");
const time = (id: string, engine: string, experts: "bf16" | "int4" | "mxfp4", load = prompt, tp = 1) =>
  stepNs(deviceNamed(id), engine, model, experts, load, tp);

/** All pairs, models, engines and formats are in the deep test. */
describe("consumer GPUs", () => {
  const order = ["rtx-5090", "rtx-4090", "rtx-3090"];

  test("stand in the order of their figures, prompts and decodes", () => {
    for (const engine of ["vllm", "llama.cpp"])
      for (const experts of ["bf16", "int4", "mxfp4"] as const)
        for (const load of loads) {
          const times = order.map((id) => time(id, engine, experts, load));
          expect(times, `${engine} ${experts} ${load.name}`).toEqual(times.toSorted((a, b) => a - b));
        }
  });

  test("are as far apart in prompts as their figures, within a factor of two", () => {
    for (const experts of ["bf16", "int4", "mxfp4"] as const)
      for (const [fast, slow] of [
        ["rtx-5090", "rtx-4090"],
        ["rtx-4090", "rtx-3090"],
      ] as const) {
        const [least, most] = figureRatios(deviceNamed(fast), deviceNamed(slow), experts);
        const ratio = time(slow, "vllm", experts) / time(fast, "vllm", experts);
        expect(ratio, `${fast} ${slow} ${experts}`).toBeGreaterThan(least / 2);
        expect(ratio, `${fast} ${slow} ${experts}`).toBeLessThan(2 * most);
      }
  });

  test("a DGX Spark is behind an RTX 4090 at prompts in 16 bits: it has three quarters of its arithmetic", () => {
    expect(time("gb10", "vllm", "bf16")).toBeGreaterThan(time("rtx-4090", "vllm", "bf16"));
  });
});

test("a successor is no slower than its predecessor between devices", () => {
  const [gb300, gb200] = [deviceNamed("gb300"), deviceNamed("gb200")];
  for (const load of loads)
    for (const engine of ["vllm", "sglang", "tensorrt-llm"]) {
      const step = { engine, model, experts: "mxfp4", load, tp: 4 } as const;
      expect(dominates(gb300, gb200, "mxfp4")).toBe(true);
      const ratio = time("gb300", engine, "mxfp4", load, 4) / time("gb200", engine, "mxfp4", load, 4);
      expect(ratio, `${engine} ${load.name}`).toBeLessThan(orderTolerance(gb300, gb200, step));
    }
});
