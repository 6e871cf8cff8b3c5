import { describe, expect, test } from "vitest";
import type { StorageFormat } from "../../src/core/dtype.ts";
import { deviceIds, deviceNamed } from "../../src/hardware/named-profiles.ts";
import { modelNamed } from "../../src/models/catalogue.ts";
import {
  buildOn,
  computeAlike,
  dominates,
  figureRatios,
  fits,
  linksDominate,
  loads,
  orderTolerance,
  prompt,
  stepNs,
} from "./device-order.ts";

const devices = deviceIds.map(deviceNamed);
const engines = ["vllm", "sglang", "tensorrt-llm", "llama.cpp"];
const formats = ["bf16", "fp8", "fp8_block", "int4", "mxfp4", "nvfp4"] as const;
const models = ["olmoe-1b-7b", "gpt-oss-20b", "qwen3-30b-a3b", "mixtral-8x7b", "deepseek-v3"].map(modelNamed);
const steps = engines.flatMap((engine) =>
  formats.flatMap((experts) => loads.map((load) => ({ engine, experts, load }))),
);

describe.each(models.map((model) => [model.id, model] as const))("%s", (_, model) => {
  test.each([1, 8])("a device with at least every figure of another is never slower, on %i", (tp) => {
    let pairs = 0;
    for (const step of steps) {
      const times = new Map<string, number>();
      for (const device of devices) {
        const build = buildOn(step.engine, device);
        if (build === null || (tp > 1 && device.scaleUp === null) || !fits(device, model, step.experts, tp)) continue;
        times.set(device.id, stepNs(device, build, model, step.experts, step.load, tp));
      }
      for (const a of devices)
        for (const b of devices) {
          const [ours, theirs] = [times.get(a.id), times.get(b.id)];
          if (ours === undefined || theirs === undefined || !dominates(a, b, step.experts)) continue;
          if (tp > 1 && !linksDominate(a, b)) continue;
          pairs++;
          const tolerance = orderTolerance(a, b, { ...step, model, tp });
          if (ours > tolerance * theirs)
            expect.fail(
              `${step.engine}, ${step.experts}, ${step.load.name}: ${a.id} takes ${(ours / theirs).toFixed(3)} of ${b.id}, allowed ${tolerance.toFixed(3)}`,
            );
        }
    }
    expect(pairs).toBeGreaterThan(model.id === "deepseek-v3" && tp === 1 ? -1 : 1000);
  });
});

/** Most by which prompts differ more, or less, than figures do: other versions of engines, other sizes of cache. */
const apart = 2.1;
/** Formats whose experts A100 lends to Ada. All others stand on these there, and are slower than they need be. */
const lent: readonly StorageFormat[] = ["bf16", "int4"];

test("prompts of GPUs with the same instructions differ as their figures do, within a factor of about two", () => {
  const gpus = devices.filter((device) => computeAlike(device, device));
  for (const model of models.slice(0, 4))
    for (const engine of engines)
      for (const experts of formats) {
        const times = new Map(gpus.map((gpu) => [gpu.id, stepNs(gpu, engine, model, experts, prompt, 1)]));
        for (const a of gpus)
          for (const b of gpus) {
            if (!dominates(a, b, experts)) continue;
            const ratio = times.get(b.id)! / times.get(a.id)!;
            const [least, most] = figureRatios(a, b, experts);
            const said = `${engine}, ${model.id} ${experts}: ${b.id} over ${a.id}`;
            expect(ratio, said).toBeLessThan(apart * most);
            if (lent.includes(experts)) expect(ratio, said).toBeGreaterThan(least / apart);
          }
      }
});
