import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type DeploymentTraits,
  deploymentDifferences,
  deploymentDistance,
  modelTraits,
} from "../../../src/forecast/bands/deployment-distance.ts";
import { errorBandTable, type ValidatedSetup } from "../../../src/forecast/bands/error-band-table.ts";
import { nearestSetup } from "../../../src/forecast/bands/nearest-setup.ts";
import { catalogue, modelNamed } from "../../../src/models/catalogue.ts";

const model = (id: string) => modelTraits(modelNamed(id));
const degree = fc.constantFrom(1, 2, 4, 8);
const traits: fc.Arbitrary<DeploymentTraits> = fc.record({
  model: fc.constantFrom(...Object.keys(catalogue).map(model)),
  device: fc.constantFrom("h100-sxm", "h200-sxm", "b200-sxm", "gb200", "a100-sxm"),
  engine: fc.constantFrom("vllm", "sglang", "tensorrt-llm"),
  version: fc.constantFrom("0.19", "0.19.0", "0.10.2", "1.1"),
  tp: degree,
  dp: degree,
  ep: degree,
  weights: fc.constantFrom("bf16", "fp8_block", "nvfp4", "mxfp4"),
});
const keys = ["model", "device", "engine", "version", "tp", "dp", "ep", "weights"] as const;

describe("the distance of two deployments", () => {
  test("is 0 for the same one, alike both ways, and positive with a reason where something differs", () => {
    fc.assert(
      fc.property(traits, traits, (a, b) => {
        expect(deploymentDistance(a, { ...a })).toBe(0);
        expect(deploymentDistance(a, b)).toBe(deploymentDistance(b, a));
        expect(deploymentDistance(a, b) > 0).toBe(deploymentDifferences(a, b).length > 0);
      }),
    );
  });

  test("is never lowered by one more attribute that differs", () => {
    fc.assert(
      fc.property(traits, traits, fc.subarray([...keys]), fc.constantFrom(...keys), (a, b, differing, key) => {
        const taken: Partial<DeploymentTraits> = Object.fromEntries(differing.map((name) => [name, b[name]]));
        const mixed = { ...a, ...taken };
        const withoutKey = { ...mixed, [key]: a[key] };
        expect(deploymentDistance(a, mixed)).toBeGreaterThanOrEqual(deploymentDistance(a, withoutKey));
      }),
    );
  });

  test("of another engine or architecture is more than that of another model; of a relative, layout or format it is one step", () => {
    const here: DeploymentTraits = {
      model: model("kimi-k2"),
      device: "h200-sxm",
      engine: "vllm",
      version: "0.19",
      tp: 8,
      dp: 1,
      ep: 1,
      weights: "int4",
    };
    for (const parts of [{ engine: "sglang" }, { device: "b200-sxm" }])
      expect(deploymentDistance(here, { ...here, ...parts })).toBeGreaterThan(3);
    for (const parts of [{ device: "h100-sxm" }, { tp: 4 }, { weights: "nvfp4" }, { version: "0.10.2" }] as const)
      expect(deploymentDistance(here, { ...here, ...parts })).toBe(1);
    // Names of versions are as exact as their writers made them.
    expect(deploymentDistance(here, { ...here, version: "0.19.0" })).toBe(0);
    expect(deploymentDistance(here, { ...here, version: "0.1" })).toBe(1);
    // The same family is nearer than another of the same size.
    const others = ["deepseek-v3", "glm-5"].map((id) => deploymentDistance(here, { ...here, model: model(id) }));
    expect(Math.min(...others)).toBeGreaterThan(1);
  });
});

describe("the nearest setup", () => {
  const setup = (deployments: ValidatedSetup["deployments"], parts: Partial<ValidatedSetup> = {}): ValidatedSetup => ({
    model: "kimi-k2",
    device: "h200-sxm",
    engine: "vllm",
    points: 9,
    tpotMedianPercent: null,
    ttftMedianPercent: null,
    tpotScale: 1,
    ttftScale: 1,
    deployments,
    ...parts,
  });
  const measured = { version: "0.19.0", weights: "int4", tp: 8, dp: 1, ep: 1, points: 3 } as const;
  const here = { ...measured, model: model("kimi-k2"), device: "h200-sxm", engine: "vllm" };

  test("is that of the nearest deployment, not of the nearest names", () => {
    const far = setup([{ ...measured, tp: 1, dp: 8, ep: 8, weights: "nvfp4" }]);
    const near = setup([measured], { model: "deepseek-v3", device: "h200-sxm" });
    expect(nearestSetup(here, [far, near])?.setup).toBe(near);
    expect(nearestSetup(here, [far])).toMatchObject({
      distance: 4,
      differs: ["layout (tp8 dp1 ep1, there tp1 dp8 ep8)", "weight format (int4, there nvfp4)"],
    });
  });

  test("has the most points of equally near ones, whatever their order", () => {
    const setups = [4, 9, 5].map((points) => setup([{ ...measured, points }]));
    expect(nearestSetup(here, setups)?.setup).toBe(setups[1]);
    expect(nearestSetup(here, [...setups].reverse())?.setup).toBe(setups[1]);
  });

  test("of every measured deployment is its own, at distance 0", () => {
    for (const own of errorBandTable.setups)
      for (const deployment of own.deployments) {
        const { model: id, device, engine } = own;
        const found = nearestSetup({ ...deployment, model: model(id), device, engine }, errorBandTable.setups);
        expect(found).toMatchObject({ distance: 0, setup: { model: id, device, engine } });
      }
  });
});
