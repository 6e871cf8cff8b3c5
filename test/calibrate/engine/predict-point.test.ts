import { describe, expect, test } from "vitest";
import { predictPoint } from "../../../src/calibrate/engine/predict-point.ts";
import { InfeasibleError } from "../../../src/core/errors.ts";
import type { SimConfig } from "../../../src/sim/config.ts";
import { simulate } from "../../../src/sim/simulate.ts";
import { configOf, smallPoint } from "../simulated-points.ts";

/** Mean TTFT and TPOT in ms of some requests of a run. */
function meansOf(config: SimConfig, wanted: (index: number) => boolean): { ttftMs: number; tpotMs: number } {
  const { requests } = simulate(config);
  const rows = Array.from({ length: requests.count }, (_, i) => i).filter(wanted);
  const mean = (ns: (i: number) => number) => rows.reduce((sum, i) => sum + ns(i), 0) / rows.length / 1e6;
  const { arrivalNs, firstTokenNs, lastTokenNs, outputTokens } = requests;
  return {
    ttftMs: mean((i) => firstTokenNs[i]! - arrivalNs[i]!),
    tpotMs: mean((i) => (lastTokenNs[i]! - firstTokenNs[i]!) / (outputTokens[i]! - 1)),
  };
}

const slower = (config: SimConfig, overheads: Partial<SimConfig["engine"]>): SimConfig => ({
  ...config,
  engine: { ...config.engine, ...overheads },
});

describe("the prediction of a point", () => {
  const clients = 8;
  const config = configOf(smallPoint({ concurrency: clients }));

  /** Neither each client's first request nor its last: of three waves the one in the middle. */
  const steady = (i: number) => i >= clients && i < config.workload.requests.count - clients;

  test("has the mean TPOT of the waves between the first and the last", () => {
    expect(predictPoint(config).tpotMs).toBeCloseTo(meansOf(config, steady).tpotMs, 9);
  });

  test("is none where requests are longer than the model's context", () => {
    const { contextTokensMax } = config.model;
    const point = (promptTokens: number) =>
      configOf(smallPoint({ concurrency: 1, promptTokens: Math.ceil(promptTokens), outputTokens: 2 }));
    // Clients send as little as four fifths of the stated length.
    for (const share of [1.3, 2]) expect(() => predictPoint(point(share * contextTokensMax))).toThrow(InfeasibleError);
  });

  test("has a mean TTFT in which the burst at the start is one wave of ten", () => {
    const burst = meansOf(config, (i) => i < clients).ttftMs;
    const later = meansOf(config, steady).ttftMs;
    expect(Math.abs(burst - later)).toBeGreaterThan(0.1);
    expect(predictPoint(config).ttftMs).toBeCloseTo((burst + 9 * later) / 10, 9);
  });

  test("of as many requests as clients is that of the one wave there is", () => {
    const { requests } = config.workload;
    const one = { ...config, workload: { kind: "closed", requests, concurrency: requests.count } } as const;
    const { ttftMs, tpotMs } = meansOf(one, () => true);
    expect(predictPoint(one).tpotMs).toBeCloseTo(tpotMs, 9);
    expect(predictPoint(one).ttftMs).toBeCloseTo(ttftMs, 9);
  });

  test("is the same for a second simulation", () => {
    expect(predictPoint(config)).toEqual(predictPoint(configOf(smallPoint({ concurrency: clients }))));
  });

  test("is saturated when clients outnumber the slots of the batch, and not when each has one", () => {
    const scheduler = { ...config.scheduler, maxSequences: 2 };
    expect(predictPoint({ ...config, scheduler }).saturated).toBe(true);
    expect(predictPoint(config).saturated).toBe(false);
  });

  test("does not take the handling of requests for a queue", () => {
    const handled = slower(config, { requestOverheadNs: 1e9, promptTokenOverheadNs: 1e6 });
    const { ttftMs, saturated } = predictPoint(handled);
    expect(ttftMs).toBeGreaterThan(1000);
    expect(saturated).toBe(false);
  });

  test("names the component that most of the step time goes to, and its share", () => {
    const { largest } = predictPoint(slower(config, { stepOverheadNs: 1e9 }));
    expect(largest.component).toBe("hostOverhead");
    expect(largest.share).toBeGreaterThan(0.9);
    expect(largest.share).toBeLessThan(1);
  });

  test("needs a closed loop, and a deployment that fits", () => {
    const open = { ...config, workload: { kind: "open", requests: config.workload.requests } } as const;
    expect(() => predictPoint(open)).toThrow("closed loop");
    const large = configOf(smallPoint({ model: "deepseek-ai/DeepSeek-V3", system: "h200_sxm" }));
    expect(() => predictPoint(large)).toThrow(InfeasibleError);
  });
});
