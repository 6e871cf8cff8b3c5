import { describe, expect, test } from "vitest";
import { layersOf } from "./catalogue-programs.ts";

const glm = (tp: number, sparseDenseTokens = 0) =>
  layersOf("mla", "glm-5", "h200-sxm-8", "sglang", tp, { sparseDenseTokens })[0]!;

describe("prompts of GLM-5 on H200", () => {
  test("eight heads on a rank cost what sixty-four do: the kernel pads them", () => {
    const sparse = (tp: number) => {
      const { cost } = glm(tp);
      return cost.opNs({
        kind: "sparseLatent",
        queryTokens: 4096,
        scorePairs: 4096 * 2048,
        cacheTokens: 4096,
        heads: 64 / tp,
        tileHeadsMax: Number.POSITIVE_INFINITY,
        widthPerPair: 1088,
        cacheBytesPerToken: 1152,
        math: "bf16",
      });
    };
    expect(sparse(8)).toBeGreaterThan(0.99 * sparse(1));
    const ratio = glm(8).ns([[0, 8192]]) / glm(1).ns([[0, 8192]]);
    expect(ratio).toBeGreaterThan(0.4);
    expect(ratio).toBeLessThan(1);
  });

  test("at eight ranks, far more than in the expanded form with divided heads", () => {
    expect(glm(8).ns([[0, 8192]])).toBeGreaterThan(1.5 * glm(8, 8192).ns([[0, 8192]]));
  });

  test("are dense up to the engine's threshold, for the whole batch: one longer context makes all of it sparse", () => {
    const served = glm(8, 2048);
    expect(served.ns([[0, 2048]])).toBe(glm(8, 100_000).ns([[0, 2048]]));
    expect(served.ns([[0, 2049]])).toBe(glm(8).ns([[0, 2049]]));
    expect(
      served.ns([
        [0, 1000],
        [4000, 1000],
      ]),
    ).toBe(
      glm(8).ns([
        [0, 1000],
        [4000, 1000],
      ]),
    );
    expect(served.ns([[0, 2049]])).toBeGreaterThan(served.ns([[0, 2048]]));
  });

  test("beyond the selection only the indexer sees the context", () => {
    const { cost, ns } = glm(8);
    const near = ns([[4096, 1024]]);
    const far = ns([[65_536, 1024]]);
    const scores = (context: number) =>
      cost.opNs({
        kind: "indexScores",
        scorePairs: 1024 * context + (1024 * 1025) / 2,
        cacheTokens: context + 1024,
        heads: 32,
        headDim: 128,
      });
    expect((far - near) / (scores(65_536) - scores(4096))).toBeCloseTo(1, 3);
  });
});
