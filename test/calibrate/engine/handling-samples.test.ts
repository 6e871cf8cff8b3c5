import { describe, expect, test } from "vitest";
import { carriedSamples, handlingSamples } from "../../../src/calibrate/engine/handling-samples.ts";
import { handledNs } from "../../../src/calibrate/engine/request-handling.ts";
import { figureIndex, logsOf } from "../../../src/calibrate/engine/serving-figures.ts";
import { servingSamples } from "../../../src/calibrate/engine/serving-samples.ts";
import { engineNamed } from "../../../src/engine/catalogue.ts";
import { measuredOn, smallPoint } from "../simulated-points.ts";

const engine = { ...engineNamed("vllm"), requestOverheadNs: 40e6, promptTokenDelayNs: 10_000 };
const loads = [1, 8].flatMap((concurrency) =>
  [32, 2000].map((promptTokens) => smallPoint({ concurrency, promptTokens, outputTokens: 16 })),
);
const samples = servingSamples(measuredOn(loads, engine));
const timed = handlingSamples(samples, () => engine);

describe("TTFTs beside those of requests that need no handling", () => {
  test("differ by the handling where nobody waits for others", () => {
    expect(timed).toHaveLength(loads.length);
    for (const sample of timed.filter(({ of }) => of.point.concurrency === 1))
      expect((sample.unhandledNs + handledNs(engine, sample.promptTokens)) / sample.measuredNs).toBeCloseTo(1, 1);
    for (const { measuredNs, unhandledNs } of timed) expect(measuredNs).toBeGreaterThan(unhandledNs);
  });

  test("there are none of points without a TTFT, and of those that do not fit", () => {
    const large = smallPoint({ model: "deepseek-ai/DeepSeek-V3", system: "h200_sxm" });
    for (const points of [[], [smallPoint({ ttftMs: null })], [large]])
      expect(handlingSamples(servingSamples(points), () => engine)).toEqual([]);
  });

  test("are carried to other figures as their closed form changes", () => {
    const logs = logsOf(engine);
    for (const [i, { unhandledNs }] of carriedSamples(timed, () => logs).entries())
      expect(unhandledNs / timed[i]!.unhandledNs).toBeCloseTo(1, 12);
    for (const figure of ["prefillExcess", "prefillStepOverheadNs"] as const) {
      const dearer = Float64Array.from(logs);
      dearer[figureIndex[figure]]! += 0.3;
      const slower = { ...engine, [figure]: engine[figure] * Math.exp(0.3) };
      const again = handlingSamples(samples, () => slower);
      for (const [i, { unhandledNs }] of carriedSamples(timed, () => dearer).entries()) {
        expect(unhandledNs).toBeGreaterThan(timed[i]!.unhandledNs);
        // The closed form is that of one request alone with decodes.
        expect(Math.abs(unhandledNs / again[i]!.unhandledNs - 1)).toBeLessThan(0.12);
      }
    }
  });
});
