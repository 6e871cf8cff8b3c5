import { describe, expect, test } from "vitest";
import { closedLoop, closedLoopTpotNs } from "../../../src/calibrate/engine/closed-loop.ts";
import { predictPoint } from "../../../src/calibrate/engine/predict-point.ts";
import {
  type FigureName,
  figureIndex,
  figureNames,
  figuresOf,
  logsOf,
} from "../../../src/calibrate/engine/serving-figures.ts";
import { engineNamed } from "../../../src/engine/catalogue.ts";
import type { SimConfig } from "../../../src/sim/config.ts";
import { loopConfig, loopOf } from "./example-loops.ts";

const vllm = engineNamed("vllm");
const values = logsOf(vllm).map(Math.exp);
const changed = (changes: Partial<Record<FigureName, number>>) =>
  values.map((value, index) => changes[figureNames[index] as FigureName] ?? value);

/** The loop with all its requests sent `times` times over: its start and end, when clients are idle, weigh less. */
function longer(config: SimConfig, times: number): SimConfig {
  const { workload } = config;
  if (workload.kind !== "closed") throw new Error("not a closed loop");
  const { requests } = workload;
  const count = times * requests.count;
  const again = (tokens: Uint32Array) => Uint32Array.from({ length: count }, (_, i) => tokens[i % requests.count]!);
  return {
    ...config,
    workload: {
      ...workload,
      requests: {
        ...requests,
        count,
        arrivalNs: new Float64Array(count),
        promptTokens: again(requests.promptTokens),
        outputTokens: again(requests.outputTokens),
        classOf: new Uint16Array(count),
      },
    },
  };
}

describe("the steady state of a closed loop", () => {
  test.each([
    { engine: "vllm", concurrency: 1 },
    { engine: "vllm", concurrency: 16 },
    { engine: "vllm", concurrency: 64, promptTokens: 1024, outputTokens: 512 },
    { engine: "sglang", concurrency: 16, outputTokens: 512 },
    { engine: "vllm", concurrency: 32, tp: 1, dp: 2, etp: 1, ep: 2 },
    { engine: "vllm", concurrency: 64, tp: 1, dp: 4, etp: 1, ep: 4, promptTokens: 1024, outputTokens: 256 },
    { engine: "sglang", concurrency: 64, tp: 1, dp: 4, etp: 1, ep: 4, promptTokens: 1024, outputTokens: 256 },
  ])("has the TPOT that a long simulation of it comes to: %o", (point) => {
    const stated = loopConfig(point);
    // The steady state has every client in the batch: while its request is handled, a client is in none.
    const engine = { ...stated.engine, requestOverheadNs: 0, promptTokenDelayNs: 0 };
    const config = { ...stated, engine };
    const steadyMs = closedLoopTpotNs(closedLoop(config), logsOf(engine).map(Math.exp)) / 1e6;
    expect(Math.abs(steadyMs / predictPoint(longer(config, 3)).tpotMs - 1)).toBeLessThan(0.05);
  });

  test("pays a step's overhead once a step, and a sequence's once for each", () => {
    const loop = loopOf({ concurrency: 8 });
    const tpot = closedLoopTpotNs(loop, values);
    const step = changed({ stepOverheadNs: values[figureIndex.stepOverheadNs]! + 1e6 });
    const sequence = changed({ sequenceOverheadNs: values[figureIndex.sequenceOverheadNs]! + 1e6 });
    expect(closedLoopTpotNs(loop, step) - tpot).toBeCloseTo(1e6, 3);
    expect(closedLoopTpotNs(loop, sequence) - tpot).toBeCloseTo(8e6, 3);
  });

  test("carries no prefill of others when there is a single client", () => {
    const alone = loopOf({ concurrency: 1 });
    const dearer = changed({ prefillStepOverheadNs: 1e9 });
    expect(closedLoopTpotNs(alone, dearer)).toBe(closedLoopTpotNs(alone, values));
    const two = loopOf({ concurrency: 2 });
    expect(closedLoopTpotNs(two, dearer)).toBeGreaterThan(closedLoopTpotNs(two, values));
  });

  test("needs a closed workload", () => {
    const config = loopConfig();
    expect(() => closedLoop({ ...config, workload: { kind: "open", requests: config.workload.requests } })).toThrow();
  });

  test("figures survive the way into logarithms and back", () => {
    const { stepOverheadNs, layerKernels, formatKernels, prefillExcess } = figuresOf(logsOf(vllm));
    expect(stepOverheadNs).toBeCloseTo(vllm.stepOverheadNs, 3);
    expect(prefillExcess).toBeCloseTo(vllm.prefillExcess, 9);
    for (const [key, value] of Object.entries({ ...layerKernels, ...formatKernels }))
      expect(value).toBeCloseTo({ ...vllm.layerKernels, ...vllm.formatKernels }[key as "attention"], 9);
  });
});
