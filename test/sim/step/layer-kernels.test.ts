import { describe, expect, test } from "vitest";
import { engineNamed } from "../../../src/engine/catalogue.ts";
import { modelNamed } from "../../../src/models/catalogue.ts";
import {
  feedForwardUnits,
  isSummed,
  kernelsOf,
  kernelUnits,
  mixingUnits,
} from "../../../src/sim/step/layer-kernels.ts";

/** Units of a model's layer by name, those it has none of left out. */
function unitsOf(id: string, layer: number, tp = 1) {
  const model = modelNamed(id);
  const { attention, feedForward } = model.layers[layer]!;
  const mixing = mixingUnits(attention, model.formats, tp);
  const network = feedForwardUnits(feedForward, model.formats);
  const entries = kernelUnits.map((unit, i) => [unit, mixing[i]! + network[i]!] as const);
  return Object.fromEntries(entries.filter(([, count]) => count > 0));
}

describe("kernels of a layer", () => {
  test("are those of its parts", () => {
    expect(unitsOf("mixtral-8x7b", 0)).toEqual({ attention: 1, experts: 1 });
    expect(unitsOf("qwen3-30b-a3b", 0)).toEqual({ attention: 1, queryKeyNorm: 1, experts: 1 });
    expect(unitsOf("gpt-oss-120b", 0)).toEqual({ attention: 1, experts: 1, mxfp4: 2 });
    // Dense before layer 3; block fp8 throughout: three products of the attention, two of each network.
    expect(unitsOf("deepseek-v3", 0)).toEqual({ latentAttention: 1, dense: 1, fp8Block: 5 });
    expect(unitsOf("deepseek-v3", 3)).toEqual({ latentAttention: 1, experts: 1, sharedExperts: 1, fp8Block: 7 });
    expect(unitsOf("qwen3-next-80b-a3b", 0)).toEqual({ linearAttention: 1, experts: 1, sharedExperts: 1.5 });
    expect(unitsOf("qwen3-next-80b-a3b", 3)).toEqual({
      attention: 1,
      queryKeyNorm: 1,
      outputGate: 1,
      experts: 1,
      sharedExperts: 1.5,
    });
  });

  test("4-bit integers cost further kernels in routed experts only", () => {
    const { attention, feedForward } = modelNamed("deepseek-v3").layers[3]!;
    const formats = { ...modelNamed("deepseek-v3").formats };
    for (const part of ["attention", "experts", "shared"] as const) formats[part] = "int4";
    const at = kernelUnits.indexOf("int4");
    expect(mixingUnits(attention, formats, 8)[at]).toBe(0);
    expect(feedForwardUnits(feedForward, formats)[at]).toBe(2);
  });

  test("a norm over all heads is two on tensor-parallel ranks, with a sum between them", () => {
    const { attention } = modelNamed("minimax-m2.5").layers[0]!;
    expect(unitsOf("minimax-m2.5", 0, 1)["queryKeyNorm"]).toBe(1);
    expect(unitsOf("minimax-m2.5", 0, 4)["queryKeyNorm"]).toBe(2);
    expect([1, 4].map((tp) => isSummed(attention, tp))).toEqual([false, true]);
    expect(isSummed(modelNamed("qwen3-30b-a3b").layers[0]!.attention, 4)).toBe(false);
  });

  test("are the engine's counts times the units", () => {
    const engine = engineNamed("vllm");
    const counts: Readonly<Record<string, number>> = { ...engine.layerKernels, ...engine.formatKernels };
    const model = modelNamed("glm-5");
    const { attention } = model.layers[10]!;
    const units = mixingUnits(attention, model.formats, 8);
    const expected = kernelUnits.reduce((sum, unit, i) => sum + units[i]! * (counts[unit] ?? Number.NaN), 0);
    expect(kernelsOf(units, engine)).toBeCloseTo(expected, 9);
    expect(kernelsOf(units, engine)).toBeGreaterThanOrEqual(
      engine.layerKernels.latentAttention + engine.layerKernels.indexer,
    );
  });

  test("a layer without a mixer, or without a network, launches none for it", () => {
    const { formats } = modelNamed("mixtral-8x7b");
    expect(mixingUnits({ kind: "none" }, formats, 1).every((count) => count === 0)).toBe(true);
    expect(feedForwardUnits({ kind: "none" }, formats).every((count) => count === 0)).toBe(true);
  });
});
