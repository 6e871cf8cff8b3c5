import { describe, expect, test } from "vitest";
import { predictPoint } from "../../../src/calibrate/engine/predict-point.ts";
import type { ServingPoint } from "../../../src/calibrate/measured/serving-point.ts";
import { engineNamed } from "../../../src/engine/catalogue.ts";
import type { SimConfig } from "../../../src/sim/config.ts";
import { simulate } from "../../../src/sim/simulate.ts";
import { configOf, smallPoint } from "../simulated-points.ts";

const unhandled = { requestOverheadNs: 0, promptTokenDelayNs: 0, promptTokenOverheadNs: 0 };
const bare = (point: Partial<ServingPoint>, engine: string): SimConfig => {
  const config = configOf(smallPoint(point), engineNamed(engine));
  return { ...config, engine: { ...config.engine, ...unhandled } };
};
const rising = (values: readonly number[]) => expect(values).toEqual([...values].sort((a, b) => a - b));

describe.each(["vllm", "sglang", "tensorrt-llm"])("the time to first token on %s", (engine) => {
  test("is never below the prompt's computation alone", () => {
    const shortest = bare({ promptTokens: 410, concurrency: 1 }, engine);
    const { requests } = simulate(bare({ promptTokens: 512, concurrency: 8 }, engine));
    const alone = simulate(shortest).requests;
    // Clients of 512 tokens send at least 409; the shortest of 410 at least 328.
    const aloneNs = Math.min(...alone.firstTokenNs.map((ns, i) => ns - alone.arrivalNs[i]!));
    for (let i = 0; i < requests.count; i++)
      expect(requests.firstTokenNs[i]! - requests.arrivalNs[i]!).toBeGreaterThanOrEqual(aloneNs);
  });

  test("rises with the prompt and with the layers", () => {
    rising([64, 512, 4096].map((promptTokens) => predictPoint(bare({ promptTokens, concurrency: 4 }, engine)).ttftMs));
    const config = bare({ concurrency: 4 }, engine);
    const { model } = config;
    rising(
      [4, 16, 48].map((n) => predictPoint({ ...config, model: { ...model, layers: model.layers.slice(0, n) } }).ttftMs),
    );
  });

  test("rises with the steps between looks for requests, and with a step formed ahead", () => {
    const config = bare({ concurrency: 8, outputTokens: 64 }, engine);
    const ttftMs = (recvInterval: number, schedulesAhead: boolean) =>
      predictPoint({
        ...config,
        engine: { ...config.engine, schedulesAhead },
        scheduler: { ...config.scheduler, recvInterval },
      }).ttftMs;
    rising([ttftMs(1, false), ttftMs(10, false), ttftMs(30, false)]);
    rising([ttftMs(1, true), ttftMs(10, true), ttftMs(30, true)]);
    expect(ttftMs(1, true)).toBeGreaterThan(ttftMs(1, false));
  });

  test("has the whole handling in it", () => {
    const config = bare({ concurrency: 1 }, engine);
    const handled = { ...config, engine: { ...config.engine, requestOverheadNs: 70e6 } };
    expect(predictPoint(handled).ttftMs - predictPoint(config).ttftMs).toBeCloseTo(70, 6);
  });
});
