import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  closedLoadRequests,
  infeasibleReason,
  pointConfig,
  shortestShare,
} from "../../../src/calibrate/engine/point-config.ts";
import { InfeasibleError } from "../../../src/core/errors.ts";
import { engineNamed } from "../../../src/engine/catalogue.ts";
import { modelNamed } from "../../../src/models/catalogue.ts";
import { drawn } from "../../drawn.ts";
import { configOf, smallPoint } from "../simulated-points.ts";

describe("the simulation of a measured point", () => {
  test("is of its deployment: model, node, engine and degrees", () => {
    const config = configOf(smallPoint({ tp: 2, dp: 2, etp: 1, ep: 4, devices: 4 }));
    expect(config.model.id).toBe("qwen3-30b-a3b");
    expect(config.node.device.id).toBe("h100-sxm");
    expect(config.mapping).toEqual({ tp: 2, cp: 1, dp: 2, pp: 1, ep: 4, etp: 1, edp: 1 });
    expect([config.replicas, config.speculation, config.placement, config.offload]).toEqual([1, null, null, null]);
  });

  test("takes the committed profile of the point's engine and version, or the one it is given", () => {
    const [known] = Object.keys(engineNamed("vllm").versions);
    for (const version of ["0.0.0-of-nobody", ...(known === undefined ? [] : [known])])
      expect(configOf(smallPoint({ version })).engine).toEqual(engineNamed("vllm", version));
    const own = { ...engineNamed("sglang"), stepOverheadNs: 123 };
    expect(configOf(smallPoint(), own).engine).toBe(own);
  });

  test("is a closed loop of the stated concurrency with a slot for each client of a rank", () => {
    const { workload, scheduler } = configOf(smallPoint({ concurrency: 13, dp: 2, etp: 1, ep: 4, devices: 4 }));
    expect(workload).toMatchObject({ kind: "closed", concurrency: 13 });
    expect(scheduler.maxSequences).toBe(7);
    const { maxSequences } = engineNamed("vllm").defaults;
    expect(configOf(smallPoint({ concurrency: 10 * maxSequences })).scheduler.maxSequences).toBe(maxSequences);
  });

  test("names every name that is not known", () => {
    const point = smallPoint({ model: "toy/Moe", system: "toy_gpu", engine: "toyserve" });
    const { config, reason } = pointConfig(point);
    expect(config).toBeNull();
    expect(reason).toBe("unknown model toy/Moe, unknown system toy_gpu, unknown engine toyserve");
  });

  test("is refused with the broken identity when attention and experts take different devices", () => {
    const { config, reason } = pointConfig(smallPoint({ tp: 2, dp: 1, etp: 1, ep: 8 }));
    expect(config).toBeNull();
    expect(reason).toContain("expected");
  });

  test.each([
    { precision: "fp8", system: "h100_sxm", experts: "fp8_block", attention: "fp8_block", cache: "bf16" },
    { precision: "fp8", system: "b200_sxm", experts: "fp8_block", attention: "fp8_block", cache: "fp8" },
    { precision: "nvfp4", system: "b200_sxm", experts: "nvfp4", attention: "bf16", cache: "fp8" },
    { precision: "bf16", system: "b200_sxm", experts: "bf16", attention: "bf16", cache: "bf16" },
    { precision: "int4", system: "h100_sxm", experts: "int4", attention: "bf16", cache: "bf16" },
  ])("stores $precision weights on $system as $experts, attention as $attention, cache as $cache", (row) => {
    const { formats, kvFormat } = configOf(smallPoint({ precision: row.precision, system: row.system }));
    expect([formats.experts, formats.attention, kvFormat]).toEqual([row.experts, row.attention, row.cache]);
  });

  test("keeps the formats of a release that is stored as stated", () => {
    const { formats } = configOf(smallPoint({ model: "openai/gpt-oss-120b", precision: "fp4", system: "h200_sxm" }));
    expect(formats).toEqual(modelNamed("gpt-oss-120b").formats);
  });
});

describe("the requests of a closed load", () => {
  const load = fc.record({
    promptTokens: fc.integer({ min: 1, max: 5000 }),
    outputTokens: fc.integer({ min: 1, max: 5000 }),
    concurrency: fc.integer({ min: 1, max: 100 }),
  });

  test("are three for each client and 24 at least, with lengths of four fifths to all of the stated ones", () => {
    fc.assert(
      fc.property(load, (stated) => {
        const { count, promptTokens, outputTokens } = closedLoadRequests(stated);
        expect(count).toBe(Math.max(24, 3 * stated.concurrency));
        for (const [lengths, longest] of [
          [promptTokens, stated.promptTokens],
          [outputTokens, stated.outputTokens],
        ] as const)
          for (const tokens of lengths) {
            expect(tokens).toBeGreaterThanOrEqual(Math.max(1, Math.floor(shortestShare * longest)));
            expect(tokens).toBeLessThanOrEqual(longest);
          }
      }),
      { numRuns: drawn(30) },
    );
  });

  test("begin the same at every concurrency, so that points of a series differ in nothing else", () => {
    fc.assert(
      fc.property(load, fc.integer({ min: 1, max: 100 }), (stated, concurrency) => {
        const [some, others] = [closedLoadRequests(stated), closedLoadRequests({ ...stated, concurrency })];
        const both = Math.min(some.count, others.count);
        expect(some.promptTokens.subarray(0, both)).toEqual(others.promptTokens.subarray(0, both));
        expect(some.outputTokens.subarray(0, both)).toEqual(others.outputTokens.subarray(0, both));
      }),
      { numRuns: drawn(30) },
    );
  });

  test("spread over the whole range of lengths", () => {
    const { promptTokens } = closedLoadRequests({ promptTokens: 1000, outputTokens: 1, concurrency: 100 });
    const mean = promptTokens.reduce((sum, tokens) => sum + tokens, 0) / promptTokens.length;
    // 300 draws from 800 to 1,000: the standard error of the mean is 3.3.
    expect(Math.abs(mean - 900)).toBeLessThan(14);
    expect(Math.min(...promptTokens)).toBeLessThan(810);
    expect(Math.max(...promptTokens)).toBeGreaterThan(990);
  });
});

test("only a deployment that does not fit is a reason to skip a point; other errors are thrown on", () => {
  expect(infeasibleReason(new InfeasibleError("needs too much\n  weights: all of it"))).toBe("needs too much");
  expect(() => infeasibleReason(new RangeError("a defect"))).toThrow("a defect");
});
