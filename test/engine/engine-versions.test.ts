import { describe, expect, test } from "vitest";
import { engineIds, engineNamed } from "../../src/engine/catalogue.ts";
import type { EngineProfile } from "../../src/engine/engine-profile.ts";
import { engineOfVersion } from "../../src/engine/resolve-engine.ts";
import { servedEngine } from "../../src/resolve/served-engine.ts";
import { syntheticDevice } from "../hardware/synthetic-device.ts";

const engine: EngineProfile = {
  ...engineNamed("vllm"),
  kernelExcess: 1,
  prefillExcess: 2,
  kernelOverheadNs: 1000,
  stepOverheadNs: 10_000,
  versions: { "1.0": { kernels: 1.1, overheads: 1.5, prefill: 0.5 } },
};

describe("an engine of a version", () => {
  test("has its factors on kernels, on overheads, and on kernels of prompts twice", () => {
    expect(engineOfVersion(engine, "1.0")).toEqual({
      ...engine,
      version: "1.0",
      kernelExcess: 1.1,
      prefillExcess: expect.closeTo(1.1, 12) as number,
      kernelOverheadNs: 1500,
      stepOverheadNs: 15_000,
    });
  });

  test.each(["2.0", "", "constructor", "__proto__"])(
    "%j without factors has the figures of all versions",
    (version) => {
      expect(engineOfVersion(engine, version)).toEqual({ ...engine, version });
    },
  );

  test.each(engineIds)("%s has factors near 1 for every version its profile knows", (id) => {
    for (const { kernels, overheads, prefill } of Object.values(engineNamed(id).versions))
      for (const factor of [kernels, overheads, prefill]) expect(Math.abs(Math.log(factor))).toBeLessThan(0.5);
  });
});

describe("an engine on a device", () => {
  const device = syntheticDevice();

  test("is its profile where nothing of it was measured there", () => {
    expect(servedEngine(engine, device)).toBe(engine);
    expect(servedEngine(engine, { ...device, served: { sglang: { kernelExcess: 3 } } })).toBe(engine);
  });

  test("takes what was measured there, and only that", () => {
    const timed = { ...device, served: { vllm: { kernelExcess: 1.3 } } };
    expect(servedEngine(engine, timed)).toEqual({ ...engine, kernelExcess: 1.3, prefillExcess: 1.3 });
    const tiled = { ...device, served: { vllm: { mixedDecodeRows: 64 } } };
    expect(servedEngine(engine, tiled)).toEqual({ ...engine, mixedDecodeRows: 64 });
  });
});
