import { describe, expect, test } from "vitest";
import { engineNamed } from "../../src/engine/catalogue.ts";
import { deviceNamed } from "../../src/hardware/named-profiles.ts";
import { servedEngine } from "../../src/resolve/served-engine.ts";

const device = { ...deviceNamed("h100-sxm"), served: { vllm: { kernelExcess: 1.25, mixedDecodeRows: 16 } } };

describe("an engine on a device that it was profiled on", () => {
  test("takes the device's factor for decodes and prompts, and its tiles; the rest stays", () => {
    const engine = engineNamed("vllm");
    expect(servedEngine(engine, device)).toEqual({
      ...engine,
      kernelExcess: 1.25,
      prefillExcess: 1.25,
      mixedDecodeRows: 16,
    });
  });

  test("other engines, and devices without such measurements, change nothing", () => {
    const other = engineNamed("sglang");
    expect(servedEngine(other, device)).toBe(other);
    const engine = engineNamed("vllm");
    expect(servedEngine(engine, deviceNamed("h100-sxm"))).toBe(engine);
  });

  test("what is not measured stays that of the engine", () => {
    const engine = engineNamed("vllm");
    const tiles = servedEngine(engine, { ...device, served: { vllm: { mixedDecodeRows: 16 } } });
    expect(tiles).toEqual({ ...engine, mixedDecodeRows: 16 });
  });
});
