import { describe, expect, test } from "vitest";
import { deploymentKey, seriesKey, servingSamples } from "../../../src/calibrate/engine/serving-samples.ts";
import type { ServingPoint } from "../../../src/calibrate/measured/serving-point.ts";
import { smallPoint } from "../simulated-points.ts";

const table = (...parts: readonly Partial<ServingPoint>[]): ServingPoint[] =>
  parts.map((part, i) => smallPoint({ tpotMs: 5 + i, line: i + 2, ...part }));

describe("samples of measured points", () => {
  test("carry the measured TPOT, the engine and its version", () => {
    const [sample] = servingSamples(table({ tpotMs: 7.25, engine: "trtllm", version: "1.2" }));
    expect(sample).toMatchObject({ tpotNs: 7.25e6, engine: "tensorrt-llm", version: "1.2", weight: 1 });
    expect(sample?.loop.sequences).toBe(4);
  });

  test("of a series of n weigh 1 / root n each, those of other loads and deployments apart", () => {
    const points = table({}, { concurrency: 8 }, { concurrency: 16 }, { concurrency: 32 }, { promptTokens: 128 });
    const weights = servingSamples(points).map(({ weight }) => weight);
    expect(weights).toEqual([0.5, 0.5, 0.5, 0.5, 1]);
  });

  test("that repeat one configuration share the weight of one", () => {
    const samples = servingSamples(table({ measured: "2026-01-01" }, { measured: "2026-01-02" }));
    expect(samples.map(({ weight }) => weight)).toEqual([0.5, 0.5]);
  });

  test("are none of points without TPOT, of queueing, of unknown names and of broken mappings", () => {
    const points = table(
      { tpotMs: null },
      { ttftMs: 5001 },
      { model: "toy/Moe" },
      { ep: 8 },
      { ttftMs: 5000 },
      { ttftMs: null, concurrency: 8 },
    );
    expect(servingSamples(points).map(({ point }) => point.line)).toEqual([6, 7]);
  });

  test("do not count points of queueing towards the length of a series", () => {
    const [sample] = servingSamples(table({}, { concurrency: 512, ttftMs: 60_000 }));
    expect(sample?.weight).toBe(1);
  });
});

describe("the key", () => {
  const differing: readonly (readonly [string, Partial<ServingPoint>])[] = [
    ["model", { model: "other" }],
    ["system", { system: "b200_sxm" }],
    ["engine", { engine: "sglang" }],
    ["version", { version: "0.20" }],
    ["precision", { precision: "bf16" }],
    ["layout", { tp: 1, dp: 2 }],
  ];

  test.each(differing)("of a deployment tells %s", (_, parts) => {
    expect(deploymentKey(smallPoint(parts))).not.toBe(deploymentKey(smallPoint()));
    expect(seriesKey(smallPoint(parts))).not.toBe(seriesKey(smallPoint()));
  });

  test("of a series tells loads and dates too, but not concurrency and measured values", () => {
    const key = seriesKey(smallPoint());
    for (const parts of [{ promptTokens: 1 }, { outputTokens: 1 }, { measured: null }])
      expect(seriesKey(smallPoint(parts))).not.toBe(key);
    expect(seriesKey(smallPoint({ concurrency: 1, tpotMs: 1, ttftMs: 1, line: 9 }))).toBe(key);
    expect(deploymentKey(smallPoint({ promptTokens: 1 }))).toBe(deploymentKey(smallPoint()));
  });
});
