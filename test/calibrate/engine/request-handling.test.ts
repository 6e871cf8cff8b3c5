import { describe, expect, test } from "vitest";
import { fitRequestHandling } from "../../../src/calibrate/engine/request-handling.ts";
import { servingSamples } from "../../../src/calibrate/engine/serving-samples.ts";
import { engineNamed } from "../../../src/engine/catalogue.ts";
import type { EngineProfile } from "../../../src/engine/engine-profile.ts";
import { measuredOn, smallPoint } from "../simulated-points.ts";

/** Without factors of versions, so that what makes the points is what is fitted. */
const engine: EngineProfile = { ...engineNamed("vllm"), versions: {} };
const loads = [1, 8].flatMap((concurrency) =>
  [32, 2000].map((promptTokens) => smallPoint({ concurrency, promptTokens, outputTokens: 4 })),
);

describe("the handling of requests", () => {
  test.each([
    { requestOverheadNs: 0, promptTokenDelayNs: 0 },
    { requestOverheadNs: 40e6, promptTokenDelayNs: 10_000 },
    { requestOverheadNs: 2e6, promptTokenDelayNs: 50_000 },
  ])("is recovered from the TTFTs it makes: %o", (handling) => {
    const samples = servingSamples(measuredOn(loads, { ...engine, ...handling }));
    expect(fitRequestHandling(engine, samples)).toEqual(handling);
  });

  test("stays the engine's own where no point tells it: none, no TTFT, or none that fits", () => {
    const { requestOverheadNs, promptTokenDelayNs } = engine;
    const large = smallPoint({ model: "deepseek-ai/DeepSeek-V3", system: "h200_sxm" });
    for (const points of [[], [smallPoint({ ttftMs: null })], [large]])
      expect(fitRequestHandling(engine, servingSamples(points))).toEqual({ requestOverheadNs, promptTokenDelayNs });
  });
});
