import { describe, expect, test } from "vitest";
import type { Attention, GqaAttention } from "../../../src/models/spec.ts";
import { isSummed, mixingUnits } from "../../../src/sim/step/layer-kernels.ts";
import { stagePlans } from "../../../src/sim/step/stage-plan.ts";
import { resolve } from "../../models/configs.ts";
import { hunyuanLarge, lfm8, longcat, minimax } from "../../models/structure-configs.ts";
import { tinyModel } from "../build.ts";
import { layersOf, type TimedLayer } from "./catalogue-programs.ts";

const linear = (config: typeof lfm8, tp: number): TimedLayer =>
  layersOf("linear", resolve(config), "h100-sxm-8", "vllm", tp)[0]!;

describe.each([
  ["lightning attention", linear(minimax, 8)],
  ["a short convolution", linear(lfm8, 1)],
])("%s", (_name, layer) => {
  /** What is no product: its maps are rough, so that products of twice the tokens take about twice as long. */
  const scan = (tokens: number) => layer.ns([[0, tokens]]) - layer.productsNs([[0, tokens]]);

  test("takes a time that is linear in the tokens of a prompt", () => {
    const perStep = scan(8192) - scan(4096);
    expect(perStep).toBeGreaterThan(0);
    expect((scan(12_288) - scan(8192)) / perStep).toBeCloseTo(1, 3);
    expect((scan(32_768) - scan(16_384)) / (4 * perStep)).toBeCloseTo(1, 3);
  });

  test("takes the same for a decode or a chunk, whatever came before", () => {
    expect(layer.ns([], 16, 100)).toBe(layer.ns([], 16, 1_000_000));
    expect(layer.ns([[0, 2048]])).toBe(layer.ns([[1_000_000, 2048]]));
  });

  test("keeps a state and nothing that grows", () => {
    expect(layer.program.caches.map(({ kind }) => kind)).toEqual(["state"]);
  });
});

test("a scan follows its chunks one after the other, a convolution does not: many prompts are no faster than one", () => {
  const convolution = linear(lfm8, 1);
  const apart = Array.from({ length: 16 }, () => [0, 512] as const);
  const rest = (prompts: readonly (readonly [number, number])[]) =>
    convolution.ns(prompts) - convolution.productsNs(prompts);
  // Each prompt reads and writes its state.
  expect(rest(apart)).toBeGreaterThanOrEqual(rest([[0, 8192]]));
});

test("the norm over all heads of lightning attention sums over the ranks that hold them", () => {
  const { attention } = linear(minimax, 8);
  expect([1, 8].map((tp) => isSummed(attention, tp))).toEqual([false, true]);
  expect(isSummed(linear(lfm8, 1).attention, 8)).toBe(false);
});

test("a convolution is as many kernels as attention without norms of queries and keys", () => {
  const { layers, formats } = resolve(lfm8);
  const full = layers.find(({ attention }) => attention.kind === "gqa")!.attention as GqaAttention;
  const { queryKeyNorm: _norm, ...plain } = full;
  const unitsOf = (mixer: Attention) => mixingUnits(mixer, formats, 1);
  expect(unitsOf(linear(lfm8, 1).attention)).toEqual(unitsOf(plain));
  expect(unitsOf(linear(minimax, 1).attention)).not.toEqual(unitsOf(plain));
});

describe("layers that read another layer's cache", () => {
  const [own, sharing] = layersOf("gqa", resolve(hunyuanLarge), "h200-sxm-8", "vllm", 8);

  test("are a class of their own, without a cache", () => {
    expect((own!.attention as GqaAttention).sharedCache).toBeUndefined();
    expect((sharing!.attention as GqaAttention).sharedCache).toBe(true);
    expect(own!.program.caches).toHaveLength(1);
    expect(sharing!.program.caches).toEqual([]);
  });

  test("hold no projections of keys and values, and multiply with none", () => {
    expect(own!.program.weightValues - sharing!.program.weightValues).toBe((6400 * 2 * 8 * 80) / 8);
    for (const tokens of [256, 4096])
      expect(sharing!.productsNs([[0, tokens]])).toBeLessThan(own!.productsNs([[0, tokens]]));
  });

  test("read as much of it as the layer that wrote it: one more key costs both the same", () => {
    for (const decodes of [1, 32]) {
      const grown = (layer: TimedLayer) => layer.ns([], decodes, 16_000) - layer.ns([], decodes, 2000);
      expect(grown(own!)).toBeGreaterThan(0);
      expect(grown(sharing!)).toBeCloseTo(grown(own!), 3);
    }
    expect(sharing!.ns([[8000, 100]])).toBeLessThan(own!.ns([[8000, 100]]));
  });
});

describe("pipeline stages", () => {
  test("part neither the halves of a layer nor a layer from the cache that it reads", () => {
    for (const config of [longcat, hunyuanLarge]) {
      const model = resolve(config);
      for (const pp of [2, 3, 5, 8]) {
        const plans = stagePlans(model, pp);
        expect(plans.reduce((sum, { layers }) => sum + layers, 0)).toBe(model.layers.length);
        for (const { first } of plans) expect(model.layers[first]!.joined).toBeUndefined();
      }
    }
    expect(stagePlans(resolve(longcat), 8).map(({ layers }) => layers)).toEqual([8, 8, 8, 8, 6, 6, 6, 6]);
  });

  test("of a model of single layers are as they were", () => {
    expect(stagePlans(tinyModel(), 3).map(({ layers }) => layers)).toEqual([2, 1, 1]);
  });
});
