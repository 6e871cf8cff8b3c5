import { describe, expect, test } from "vitest";
import { compareForecasts } from "../../src/forecast/baseline.ts";
import type { Forecast } from "../../src/forecast/forecast.ts";
import { exampleForecast } from "./example-forecast.ts";

const before = exampleForecast();

/** The forecast with one number changed. */
function with_(change: (forecast: Mutable<Forecast>) => void): Forecast {
  const copy = structuredClone(before) as Mutable<Forecast>;
  change(copy);
  return copy as Forecast;
}

type Mutable<T> = { -readonly [Key in keyof T]: Mutable<T[Key]> };

const failed = (after: Forecast, percent = 5) =>
  compareForecasts(before, after, percent)
    .filter((delta) => delta.failed)
    .map((delta) => delta.metric);

describe("a comparison with a baseline", () => {
  test("finds no regression between equal forecasts, whatever is allowed", () => {
    for (const percent of [0, 5, 100]) expect(failed(before, percent)).toEqual([]);
    expect(compareForecasts(before, before, 0).length).toBeGreaterThan(5);
  });

  test("fails a latency that rose by more than allowed, and not one that fell", () => {
    const latency = (factor: number) =>
      with_((forecast) => {
        forecast.latency.e2e.p50 = (forecast.latency.e2e.p50 ?? 0) * factor;
      });
    expect(failed(latency(1.06))).toEqual(["e2e p50"]);
    expect(failed(latency(1.04))).toEqual([]);
    expect(failed(latency(0.1))).toEqual([]);
  });

  test("fails a throughput that fell by more than allowed, and not one that rose", () => {
    const throughput = (factor: number) =>
      with_((forecast) => {
        forecast.throughput.outputTokensPerSecond *= factor;
      });
    expect(failed(throughput(0.94))).toEqual(["output tokens/s"]);
    expect(failed(throughput(0.96))).toEqual([]);
    expect(failed(throughput(2))).toEqual([]);
  });

  test("gives the regression as a share of the baseline, positive when worse", () => {
    const half = with_((forecast) => {
      forecast.throughput.outputTokensPerSecond /= 2;
    });
    const delta = compareForecasts(before, half, 5).find(({ metric }) => metric === "output tokens/s");
    expect(delta?.regression).toBeCloseTo(0.5, 12);
  });

  test("fails what is missing now, and leaves out what was missing before", () => {
    const missing = with_((forecast) => {
      forecast.latency.ttft.p50 = null;
    });
    expect(compareForecasts(before, missing, 100).find(({ metric }) => metric === "ttft p50")).toEqual({
      metric: "ttft p50",
      before: before.latency.ttft.p50,
      after: null,
      regression: null,
      failed: true,
    });
    expect(compareForecasts(missing, before, 5).map(({ metric }) => metric)).not.toContain("ttft p50");
  });

  test("refuses a negative or infinite allowance", () => {
    for (const percent of [-1, Number.NaN, Number.POSITIVE_INFINITY])
      expect(() => compareForecasts(before, before, percent)).toThrow("a percentage of 0 or more");
  });
});
