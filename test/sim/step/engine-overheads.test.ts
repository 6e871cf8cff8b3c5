import { describe, expect, test } from "vitest";
import type { EngineProfile } from "../../../src/engine/engine-profile.ts";
import type { RunResult } from "../../../src/sim/result.ts";
import { simulate } from "../../../src/sim/simulate.ts";
import { testConfig, testEngine, testRequests, tinyModel } from "../build.ts";

const free = {
  stepOverheadNs: 0,
  sequenceOverheadNs: 0,
  kernelOverheadNs: 0,
  requestOverheadNs: 0,
  promptTokenOverheadNs: 0,
  promptTokenDelayNs: 0,
} as const;

/** Requests of 100 prompt tokens that all arrive at once, under an engine that costs nothing but what is given. */
function run(engine: Partial<EngineProfile>, requests = 1, output = 4): RunResult {
  const rows = Array.from({ length: requests }, () => ({ at: 0, prompt: 100, output }));
  return simulate(
    testConfig({
      model: tinyModel(),
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
  const kernels = ({ time }: RunResult) => time.attention + time.experts + time.head;

  test("a factor on kernels scales decode steps, one on prefill the steps of prompts", () => {
    const alone = run({ kernelFactor: 1, prefillFactor: 1 });
    const slow = run({ kernelFactor: 2, prefillFactor: 2 });
    expect(kernels(slow)).toBeCloseTo(2 * kernels(alone), 3);
    const decodes = run({ kernelFactor: 3, prefillFactor: 1 });
    const prompts = run({ kernelFactor: 1, prefillFactor: 3 });
    expect(kernels(decodes) + kernels(prompts)).toBeCloseTo(4 * kernels(alone), 3);
  });
});
