import { describe, expect, test } from "vitest";
import { modelKvBytesPerSequence, modelKvBytesPerToken } from "../../src/models/bytes.ts";
import { parametersOf } from "../../src/models/parameters.ts";
import type { ModelSpec } from "../../src/models/spec.ts";
import { type Config, resolve } from "./configs.ts";
import {
  graniteMicro,
  graniteSmall,
  graniteTiny,
  hunyuanA13b,
  hunyuanLarge,
  lfm8,
  lfm24,
  lingTiny,
  longcat,
  longcatLite,
  minimax,
  ringMini,
} from "./structure-configs.ts";

interface Published {
  readonly name: string;
  readonly config: Config;
  /** In billions, with the value of the last digit. */
  readonly total: readonly [value: number, unit: number];
  readonly active: readonly [value: number, unit: number];
  /** What the count for a token leaves out. */
  readonly without?: "embedding" | "both";
  readonly source: string;
}

const published: readonly Published[] = [
  {
    name: "LongCat-Flash-Chat",
    config: longcat,
    total: [560, 1],
    active: [27, 1],
    without: "embedding",
    source: "LongCat-Flash Technical Report, arXiv 2509.01322: 560 B, 18.6 to 31.3 B for a token, 27 B on average",
  },
  {
    name: "LongCat-Flash-Lite",
    config: longcatLite,
    total: [68.5, 0.1],
    active: [3.98, 0.01],
    without: "embedding",
    source:
      "model card of meituan-longcat/LongCat-Flash-Lite: 68.5 B, 2.9 to 4.5 B for a token; its mean is that of 8 of 12 choices",
  },
  {
    name: "MiniMax-Text-01",
    config: minimax,
    total: [456, 1],
    active: [45.9, 0.1],
    without: "both",
    source: "MiniMax-01, arXiv 2501.08313: 456 B, 45.9 B for a token",
  },
  {
    name: "MiniMax-M1",
    config: { ...minimax, model_type: "minimax_m1" },
    total: [456, 1],
    active: [45.9, 0.1],
    without: "both",
    source: "MiniMax-M1, arXiv 2506.13585: the same",
  },
  {
    name: "Granite-4.0-H-Tiny",
    config: graniteTiny,
    total: [7, 1],
    active: [1, 1],
    source: "model card of ibm-granite/granite-4.0-h-tiny: 7 B, 1 B for a token",
  },
  {
    name: "Granite-4.0-H-Small",
    config: graniteSmall,
    total: [32, 1],
    active: [9, 1],
    source: "model card of ibm-granite/granite-4.0-h-small: 32 B, 9 B for a token",
  },
  {
    name: "Granite-4.0-H-Micro",
    config: graniteMicro,
    total: [3, 1],
    active: [3, 1],
    source: "model card of ibm-granite/granite-4.0-h-micro: 3 B, dense",
  },
  {
    name: "LFM2-8B-A1B",
    config: lfm8,
    total: [8.3, 0.1],
    active: [1.5, 0.1],
    source: "model card of LiquidAI/LFM2-8B-A1B: 8.3 B, 1.5 B for a token",
  },
  {
    name: "LFM2-24B-A2B",
    config: lfm24,
    total: [24, 1],
    active: [2.3, 0.1],
    source: "liquid.ai/blog/lfm2-24b-a2b: 24 B, 2.3 B for a token; the width of its two dense layers is not stated",
  },
  {
    name: "Hunyuan-A13B",
    config: hunyuanA13b,
    total: [80, 1],
    active: [13, 1],
    source: "Hunyuan-A13B Technical Report: 80 B, 13 B for a token",
  },
  {
    name: "Hunyuan-Large",
    config: hunyuanLarge,
    total: [389, 1],
    active: [52, 1],
    source: "Hunyuan-Large, arXiv 2411.02265: 389 B, 52 B for a token",
  },
  {
    name: "Ring-mini-linear-2.0",
    config: ringMini,
    total: [16, 1],
    active: [0.957, 0.001],
    without: "both",
    source: "Ring-linear, arXiv 2510.19338: 16 B, 957 M for a token without embeddings",
  },
  {
    name: "Ling-3.0-tiny",
    config: lingTiny,
    total: [7.9, 0.1],
    active: [1.3, 0.1],
    source: "model card of inclusionAI/Ling-3.0-tiny: 7.9 B, 1.3 B for a token",
  },
];

describe("published sizes, within the last digit", () => {
  test.each(published)("$name: $source", ({ config, total, active, without: left }) => {
    const parameters = parametersOf(resolve(config));
    const { embedding, head } = parameters.activeByClass;
    const used = parameters.active - (left === undefined ? 0 : embedding) - (left === "both" ? head : 0);
    expect(Math.abs(parameters.total / 1e9 - total[0])).toBeLessThan(total[1]);
    expect(Math.abs(used / 1e9 - active[0])).toBeLessThan(active[1]);
  });

  test.each([
    [longcat, 18.6, 31.3],
    [longcatLite, 2.9, 4.5],
  ])(
    "LongCat-Flash uses 18.6 to 31.3 B for a token, its Lite 2.9 to 4.5 B, by how many choices compute",
    (config, fewest, most) => {
      const { activeRange, activeByClass } = parametersOf(resolve(config));
      const billions = (values: number) => (values - activeByClass.embedding) / 1e9;
      expect(Math.abs(billions(activeRange!.fewest) - fewest)).toBeLessThan(0.1);
      expect(Math.abs(billions(activeRange!.most) - most)).toBeLessThan(0.1);
    },
  );
});

describe("cache of a sequence", () => {
  /** Bytes of a sequence less what its tokens add. */
  const stateBytes = (spec: ModelSpec) => modelKvBytesPerSequence(spec, 1000) - 1000 * modelKvBytesPerToken(spec);

  test("LongCat-Flash keeps a latent for both attentions of its 28 layers", () => {
    const spec = resolve(longcat);
    expect(modelKvBytesPerToken(spec)).toBe(2 * 28 * (512 + 64) * 2);
    expect(spec.layers.length).toBe(56);
  });

  test("MiniMax-Text-01 keeps keys of ten layers, and a square per head in the others", () => {
    const spec = resolve(minimax);
    expect(modelKvBytesPerToken(spec)).toBe(10 * 2 * 8 * 128 * 2);
    expect(stateBytes(spec)).toBe(70 * 64 * 128 * 128 * 2);
  });

  test("Granite 4 keeps keys of four layers, and states of Mamba-2 in the others", () => {
    const spec = resolve(graniteTiny);
    expect(modelKvBytesPerToken(spec)).toBe(4 * 2 * 4 * 128 * 2);
    expect(stateBytes(spec)).toBe(36 * 4 * (48 * 64 * 128 + 3 * (48 * 64 + 2 * 128)));
  });

  test("LFM2 keeps keys of six layers, and two inputs of each convolution", () => {
    const spec = resolve(lfm8);
    expect(modelKvBytesPerToken(spec)).toBe(6 * 2 * 8 * 64 * 2);
    expect(stateBytes(spec)).toBe(18 * 2 * 2048 * 2);
  });

  test("Hunyuan-Large keeps keys of every second layer", () => {
    expect(modelKvBytesPerToken(resolve(hunyuanLarge))).toBe(32 * 2 * 8 * 80 * 2);
  });
});
