import { describe, expect, test } from "vitest";
import type { EngineProfile } from "../../../src/engine/engine-profile.ts";
import type { RunResult } from "../../../src/sim/result.ts";
import { simulate } from "../../../src/sim/simulate.ts";
import { testConfig, testEngine, testNode, testRequests, tinyModel } from "../build.ts";

const free = {
  stepOverheadNs: 0,
  sequenceOverheadNs: 0,
  kernelOverheadNs: 0,
  requestOverheadNs: 0,
  promptTokenOverheadNs: 0,
  promptTokenDelayNs: 0,
} as const;

/** Requests of 100 prompt tokens that all arrive at once, under an engine that costs nothing but what is given. */
function run(engine: Partial<EngineProfile>, requests = 1, output = 4, node = testNode()): RunResult {
  const rows = Array.from({ length: requests }, () => ({ at: 0, prompt: 100, output }));
  return simulate(
    testConfig({
      model: tinyModel(),
      node,
      engine: testEngine({ ...free, ...engine }),
      routing: { kind: "uniform" },
      workload: { kind: "open", requests: testRequests(rows) },
    }),
  );
}

const plain = run({});

describe("time outside kernels", () => {
  test("steps with prompt tokens pay for them, decode steps do not", () => {
    const { time } = run({ prefillStepOverheadNs: 70_000 });
    expect(time.hostOverhead).toBe(70_000);
  });

  test("a request reaches the scheduler after its handling, once", () => {
    const late = run({ requestOverheadNs: 5_000_000 });
    expect(late.requests.firstTokenNs[0]).toBe(plain.requests.firstTokenNs[0]! + 5_000_000);
    expect(late.requests.lastTokenNs[0]).toBe(plain.requests.lastTokenNs[0]! + 5_000_000);
  });

  test("prompts of a burst are tokenised one after the other", () => {
    const perPrompt = 100 * 1_000_000;
    const { requests } = run({ promptTokenOverheadNs: 1_000_000 }, 3);
    for (let i = 0; i < 3; i++) expect(requests.scheduledNs[i]).toBe((i + 1) * perPrompt);
  });

  test("what else a prompt waits before the scheduler sees it keeps nobody else waiting, and no front end busy", () => {
    const { requests, frontEnds } = run({ promptTokenDelayNs: 1_000_000 }, 3);
    expect([...requests.scheduledNs]).toEqual([1e8, 1e8, 1e8]);
    expect(frontEnds).toEqual({ busyNs: [0], waitNs: 0 });
  });

  test("without captured graphs a step lasts at least as long as its launches", () => {
    const eager = run({ capturesGraphs: false, eagerLaunchNs: 50_000 });
    // Four layers of ten kernels; one prompt step and three decode steps, each much shorter on the device.
    expect(eager.endNs).toBe(4 * 4 * 10 * 50_000);
    const fast = run({ capturesGraphs: false, eagerLaunchNs: 0 });
    expect(fast.endNs).toBe(plain.endNs);
  });
});

describe("kernels inside a served step", () => {
  const components = ({ time }: RunResult) => [time.attention, time.experts, time.head];

  /** Kernels reach 0.4 of the peaks. */
  const efficiency = {
    ...testNode().device.efficiency,
    gemmCompute: 0.4,
    gemmMemory: 0.4,
    groupedGemmCompute: 0.4,
    groupedGemmMemory: 0.4,
  };

  test("the excess of decodes and that of prompts scale apart, in every part of the step", () => {
    const at = (kernelExcess: number, prefillExcess: number) =>
      components(run({ kernelExcess, prefillExcess }, 1, 4, testNode({ efficiency })));
    const none = at(0, 0);
    const decodes = at(2, 0);
    const prompts = at(0, 2);
    const both = at(2, 2);
    for (const [i, least] of none.entries()) {
      expect(decodes[i]).toBeGreaterThan(least);
      expect(prompts[i]).toBeGreaterThan(least);
      expect(both[i]! - least).toBeCloseTo(decodes[i]! - least + (prompts[i]! - least), 6);
      // Affine in the share.
      expect(at(1, 1)[i]! - least).toBeCloseTo((both[i]! - least) / 2, 6);
    }
  });

  test("a mixed step takes the mean of both by tokens", () => {
    const mixed = (kernelExcess: number, prefillExcess: number) => {
      const rows = [
        { at: 0, prompt: 100, output: 3 },
        { at: 1, prompt: 99, output: 1 },
      ];
      const workload = { kind: "open", requests: testRequests(rows) } as const;
      const engine = testEngine({ ...free, kernelExcess, prefillExcess });
      const node = testNode({ efficiency });
      return simulate(testConfig({ model: tinyModel(), node, engine, routing: { kind: "uniform" }, workload })).time
        .head;
    };
    // The head: one step of a prompt, one of a decode and 99 prompt tokens, one of a decode.
    const [neither, decodes, all] = [mixed(0, 0), mixed(1, 0), mixed(1, 1)];
    expect(decodes - neither).toBeGreaterThan((all - neither) / 3);
    expect(decodes - neither).toBeLessThan(((all - neither) * 2) / 3);
  });
});
