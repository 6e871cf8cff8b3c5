import { describe, expect, test } from "vitest";
import { layersOf } from "./catalogue-programs.ts";

describe.each([
  ["qwen3.5-397b-a17b", "h100-sxm-8", 8],
  ["nemotron-3-nano-30b-a3b", "b200-sxm-8", 4],
])("linear attention of %s on %s", (model, system, tp) => {
  const [layer] = layersOf("linear", model, system, "sglang", tp);
  const ns = layer!.ns;

  test("a prompt token costs the same at any context", () => {
    expect(ns([[0, 2048]])).toBe(ns([[100_000, 2048]]));
  });

  test("a decode costs the same at any context", () => {
    expect(ns([], 16, 100)).toBe(ns([], 16, 100_000));
  });

  test("prompts of many sequences are faster than one as long as all, never slower", () => {
    const together = ns([[0, 8192]]);
    const apart = ns(Array.from({ length: 8 }, () => [0, 1024] as const));
    expect(apart).toBeLessThan(together * 1.01);
  });

  test("more prompt tokens take longer; a short prompt more changes the rest by no more than maps of products are rough", () => {
    let last = 0;
    for (const tokens of [64, 512, 4096, 16_384]) {
      const now = ns([[0, tokens]]);
      expect(now).toBeGreaterThan(last);
      expect(
        ns([
          [0, tokens],
          [0, 1],
        ]),
      ).toBeGreaterThan(0.97 * now);
      last = now;
    }
  });
});
